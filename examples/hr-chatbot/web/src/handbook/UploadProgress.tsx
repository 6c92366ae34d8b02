import { percent } from "../ui/format";

/** Sending takes as long as the network, reading as long as the server: both are shown. */
export function UploadProgress({ name, share }: { name: string; share: number }) {
  const sent = share >= 1;
  return (
    <div role="status" className="space-y-1.5 text-sm">
      <p className="text-muted">
        {sent ? `Reading and indexing ${name}…` : `Sending ${name}… ${percent(share)}`}
      </p>
      <progress
        max={1}
        value={sent ? undefined : share}
        aria-label={`Upload of ${name}`}
        className="h-1.5 w-full overflow-hidden rounded-full accent-accent"
      />
    </div>
  );
}
