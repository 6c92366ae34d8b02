import { getDocument, sectionsOf } from "../api/handbook";
import { Failure } from "../ui/Failure";
import { Loading } from "../ui/Loading";
import { links } from "../ui/useRoute";
import { useLoaded } from "../ui/useLoaded";
import { Sections } from "./Sections";

export function DocumentPage({ name }: { name: string }) {
  const { data, error, retry } = useLoaded(() => getDocument(name), name);
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
          <Sections sections={sectionsOf(data)} />
        </>
      ) : (
        <Loading label="Loading the document" lines={10} />
      )}
    </article>
  );
}
