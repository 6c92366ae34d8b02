import { wording } from "../api/request";
import { Button } from "./Button";
import { Notice } from "./Notice";

/** What could not be loaded, why, and a way to try again. */
export function Failure({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <Notice tone="bad" action={<Button onClick={onRetry}>Try again</Button>}>
      {wording(error)}
    </Notice>
  );
}
