/** Line drawings of 20 by 20, in the colour of the text beside them. */
const paths = {
  approve: "M4 10.5l4 4 8-9",
  book: "M4 4.5h5a2 2 0 0 1 2 2V17a2 2 0 0 0-2-2H4zM16 4.5h-3a2 2 0 0 0-2 2V17a2 2 0 0 1 2-2h3z",
  calendar: "M4 6h12v10H4zM4 9h12M7 4v3M13 4v3",
  chart: "M4 16V9M9 16V4M14 16v-5M3 16.5h14",
  chevron: "M7 5l5 5-5 5",
  close: "M5 5l10 10M15 5L5 15",
  copy: "M7 7h9v9H7zM4 13V4h9",
  dark: "M15.5 12.5A6.5 6.5 0 0 1 7.5 4.5a6.5 6.5 0 1 0 8 8z",
  down: "M10 4v12M5 11l5 5 5-5",
  edit: "M4 16l1-4 8-8 3 3-8 8zM11.5 5.5l3 3",
  light: "M10 7a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM10 2v2M10 16v2M2 10h2M16 10h2M4.5 4.5l1.4 1.4M14.1 14.1l1.4 1.4M15.5 4.5l-1.4 1.4M5.9 14.1l-1.4 1.4",
  menu: "M3.5 6h13M3.5 10h13M3.5 14h13",
  plus: "M10 4v12M4 10h12",
  refresh: "M15.5 8A6 6 0 1 0 16 11.5M16 4v4h-4",
  search: "M9 4a5 5 0 1 1 0 10A5 5 0 0 1 9 4zM13 13l4 4",
  send: "M10 16V4M5 9l5-5 5 5",
  signOut: "M8 4H4v12h4M8 10h9M14 7l3 3-3 3",
  stop: "M5.5 5.5h9v9h-9z",
  system: "M3 4.5h14v9H3zM7.5 16.5h5",
  thought: "M10 3.5a5 5 0 0 1 3 9V14H7v-1.5a5 5 0 0 1 3-9zM8 16.5h4",
  tool: "M12.5 4a4 4 0 0 0-4 5.5L4 14l2 2 4.5-4.5A4 4 0 0 0 16 7.5l-2.5 1.5-2-2L13.5 4z",
  trash: "M4.5 6h11M8 6V4h4v2M6 6l.7 10.5h6.600L14 6",
  upload: "M10 13V4M6 7.5L10 3.5l4 4M4 13v3.5h12V13",
  warning: "M10 3.5l7.5 13h-15zM10 8.5v3.5M10 14.200v.3",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, className = "size-4.5" }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 20 20"
      aria-hidden="true"
      className={`shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}
