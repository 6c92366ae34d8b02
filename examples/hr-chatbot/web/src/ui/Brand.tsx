import { Icon } from "./Icon";

export function Brand() {
  return (
    <span className="flex items-center gap-2.5 font-serif text-lg font-semibold tracking-tight">
      <span className="grid size-8 place-items-center rounded-[10px] bg-accent text-on-accent">
        <Icon name="book" />
      </span>
      Handbook assistant
    </span>
  );
}
