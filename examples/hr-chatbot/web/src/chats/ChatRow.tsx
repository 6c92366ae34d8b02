import { useState } from "react";
import type { Chat } from "../api/chats";
import { wording } from "../api/request";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { IconButton } from "../ui/IconButton";
import { Notice } from "../ui/Notice";
import { go, links } from "../ui/useRoute";
import type { Chats } from "./useChats";

interface Props {
  chat: Chat;
  current: boolean;
  chats: Chats;
}

export function ChatRow({ chat, current, chats }: Props) {
  const [state, setState] = useState<"shown" | "renaming" | "deleting">("shown");
  const [error, setError] = useState<unknown>(null);
  const title = chat.title || "Untitled chat";

  const attempt = async (action: Promise<void>) => {
    setError(null);
    try {
      await action;
      setState("shown");
      return true;
    } catch (failure) {
      setError(failure);
      return false;
    }
  };

  if (state === "renaming") {
    return (
      <li>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const name = new FormData(event.currentTarget).get("title")?.toString().trim();
            if (name) void attempt(chats.rename(chat.id, name));
          }}
        >
          <input
            autoFocus
            name="title"
            aria-label="Name of the chat"
            defaultValue={title}
            maxLength={200}
            onFocus={(event) => event.target.select()}
            onBlur={() => error == null && setState("shown")}
            onKeyDown={(event) => event.key === "Escape" && setState("shown")}
            className="min-h-9 w-full rounded-lg border border-accent bg-surface px-2 text-sm"
          />
        </form>
        {error != null && <Notice tone="bad">{wording(error)}</Notice>}
      </li>
    );
  }
  return (
    <li className="group/row relative" data-testid="chat-row">
      <a
        href={links.chat(chat.id)}
        aria-current={current ? "page" : undefined}
        className="block truncate rounded-lg py-1.5 pr-2 pl-2 text-sm group-focus-within/row:pr-19 group-hover/row:pr-19 hover:bg-surface aria-[current]:bg-surface aria-[current]:font-medium pointer-coarse:pr-19"
      >
        {title}
      </a>
      <span className="absolute inset-y-0 right-0 flex items-center opacity-0 group-focus-within/row:opacity-100 group-hover/row:opacity-100 pointer-coarse:opacity-100">
        <IconButton icon="edit" label={`Rename ${title}`} className="size-8" onClick={() => setState("renaming")} />
        <IconButton icon="trash" label={`Delete ${title}`} className="size-8" onClick={() => setState("deleting")} />
      </span>
      {state === "deleting" && (
        <Dialog title="Delete this chat?" onClose={() => setState("shown")}>
          <p className="text-muted">“{title}” and all its answers will be gone for good.</p>
          {error != null && <Notice tone="bad">{wording(error)}</Notice>}
          <div className="mt-5 flex justify-end gap-2">
            <Button onClick={() => setState("shown")}>Keep it</Button>
            <Button
              look="danger"
              onClick={() => void attempt(chats.remove(chat.id)).then((gone) => gone && current && go(links.home))}
            >
              Delete
            </Button>
          </div>
        </Dialog>
      )}
    </li>
  );
}
