import { useState } from "react";
import type { User } from "../api/account";
import { getDocument, sectionsOf } from "../api/handbook";
import { Button } from "../ui/Button";
import { Failure } from "../ui/Failure";
import { Icon } from "../ui/Icon";
import { Loading } from "../ui/Loading";
import { go, links } from "../ui/useRoute";
import { useLoaded } from "../ui/useLoaded";
import { mayEdit } from "./mayEdit";
import { Removal } from "./Removal";
import { Sections } from "./Sections";
import { Upload } from "./Upload";

interface Props {
  user: User;
  name: string;
  onChange: () => void;
}

export function DocumentPage({ user, name, onChange }: Props) {
  const { data, error, retry, reload } = useLoaded(() => getDocument(name), name);
  const [replacing, setReplacing] = useState(false);

  const changed = () => {
    reload();
    onChange();
  };

  return (
    <article className="max-w-prose space-y-5">
      <a href={links.handbook} className="text-sm text-accent underline underline-offset-2">
        All documents
      </a>
      {error ? (
        <Failure error={error} onRetry={retry} />
      ) : data ? (
        <>
          <h2 className="font-serif text-3xl leading-tight font-medium tracking-tight">{data.title}</h2>
          {mayEdit(user, data) && (
            <div className="flex flex-wrap items-center gap-2" data-testid="document-actions">
              <span className="mr-auto text-sm text-muted">Uploaded as {data.name}</span>
              <Button aria-expanded={replacing} onClick={() => setReplacing(!replacing)}>
                <Icon name="upload" className="size-4" /> Replace
              </Button>
              <Removal
                document={data}
                onDone={() => {
                  onChange();
                  go(links.handbook);
                }}
              />
            </div>
          )}
          {replacing && <Upload replaces={data} onDone={changed} />}
          <Sections sections={sectionsOf(data)} />
        </>
      ) : (
        <Loading label="Loading the document" lines={10} />
      )}
    </article>
  );
}
