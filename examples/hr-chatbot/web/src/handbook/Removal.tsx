import { useState } from "react";
import { type DocumentSummary, removeDocument } from "../api/handbook";
import { wording } from "../api/request";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { Notice } from "../ui/Notice";

/** Removes a document once somebody has said that it is meant. */
export function Removal({ document, onDone }: { document: DocumentSummary; onDone: () => void }) {
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const remove = async () => {
    setError(null);
    try {
      await removeDocument(document.name);
      onDone();
    } catch (failure) {
      setError(failure);
    }
  };

  return (
    <>
      <Button onClick={() => setAsking(true)}>
        <Icon name="trash" className="size-4" /> Remove
      </Button>
      {asking && (
        <Dialog title="Remove this document?" onClose={() => setAsking(false)}>
          <p className="text-muted">
            Answers will no longer be found in “{document.title}”. Earlier answers keep their text, but their citations of
            it lead nowhere.
          </p>
          {error != null && <Notice tone="bad">{wording(error)}</Notice>}
          <div className="mt-5 flex justify-end gap-2">
            <Button onClick={() => setAsking(false)}>Keep it</Button>
            <Button look="danger" onClick={() => void remove()}>
              Remove
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
