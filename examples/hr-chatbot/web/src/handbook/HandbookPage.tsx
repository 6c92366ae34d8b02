import type { User } from "../api/account";
import { listDocuments } from "../api/handbook";
import { Failure } from "../ui/Failure";
import { Loading } from "../ui/Loading";
import { useLoaded } from "../ui/useLoaded";
import { DocumentList } from "./DocumentList";
import { DocumentPage } from "./DocumentPage";
import { isEditor } from "./mayEdit";
import { Upload } from "./Upload";

interface Props {
  user: User;
  name: string | null;
}

export function HandbookPage({ user, name }: Props) {
  const { data, error, retry, reload } = useLoaded(listDocuments, "documents");
  return (
    <div className="min-h-0 flex-1 scrollbar-stable overflow-y-auto">
      <div className="mx-auto w-full max-w-4xl space-y-6 px-4 py-8 sm:px-8">
        {name ? (
          <DocumentPage key={name} user={user} name={name} onChange={reload} />
        ) : (
          <>
            <header>
              <h2 className="font-serif text-3xl font-medium tracking-tight">The handbook</h2>
              <p className="mt-1 text-muted">
                {data ? `Answers come from these ${data.length} documents.` : "Answers come from these documents."}
              </p>
            </header>
            {isEditor(user) && <Upload known={data?.map((document) => document.name)} onDone={reload} />}
            {error ? (
              <Failure error={error} onRetry={retry} />
            ) : data ? (
              <DocumentList documents={data} />
            ) : (
              <Loading label="Loading the documents" lines={8} />
            )}
          </>
        )}
      </div>
    </div>
  );
}
