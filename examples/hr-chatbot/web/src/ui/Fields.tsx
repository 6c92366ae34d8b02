import { words } from "./format";

/** All values of an object for people: names in words, and nothing of JSON. */
export function Fields({ of, className = "" }: { of: unknown; className?: string }) {
  return (
    <dl className={`grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm ${className}`}>
      {Object.entries((of ?? {}) as Record<string, unknown>).map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{words(name)}</dt>
          <dd className="font-medium wrap-anywhere">
            <Value value={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value }: { value: unknown }) {
  if (value === null || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "object") return String(value);
  if (!Array.isArray(value)) return <Fields of={value} />;
  if (value.length === 0) return "none";
  return (
    <ul className="space-y-1.5">
      {value.map((each, index) => (
        <li key={index}>
          <Value value={each} />
        </li>
      ))}
    </ul>
  );
}
