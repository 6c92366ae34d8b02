/** Any JSON value; objects and lists below the first level start folded. */
export function JsonTree({ value, depth = 0 }: { value: unknown; depth?: number }) {
  if (value === null || typeof value !== "object") return <JsonLeaf value={value} />;
  const entries = Object.entries(value);
  if (entries.length === 0) return <code>{Array.isArray(value) ? "[]" : "{}"}</code>;
  return (
    <ul className={depth === 0 ? "space-y-0.5" : "space-y-0.5 border-l border-line pl-3"}>
      {entries.map(([key, child]) => (
        <li key={key}>
          <JsonEntry name={key} value={child} depth={depth} />
        </li>
      ))}
    </ul>
  );
}

function JsonEntry({ name, value, depth }: { name: string; value: unknown; depth: number }) {
  const label = <code className="text-muted">{name}: </code>;
  if (value === null || typeof value !== "object") {
    return (
      <>
        {label}
        <JsonLeaf value={value} />
      </>
    );
  }
  const count = Object.keys(value).length;
  return (
    <details open={depth < 1}>
      <summary className="rounded hover:bg-sunken">
        {label}
        <code className="text-muted">{Array.isArray(value) ? `[${count}]` : `{${count}}`}</code>
      </summary>
      <JsonTree value={value} depth={depth + 1} />
    </details>
  );
}

function JsonLeaf({ value }: { value: unknown }) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return <code className={typeof value === "string" ? "whitespace-pre-wrap wrap-anywhere" : "text-accent"}>{text}</code>;
}
