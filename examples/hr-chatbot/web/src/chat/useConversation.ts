import { Chat, useChat } from "@ai-sdk/react";
import { lastAssistantMessageIsCompleteWithApprovalResponses } from "ai";
import { useCallback, useEffect, useRef, useState } from "react";
import { type ChatDetail, getChat, stopAnswer } from "../api/chats";
import { ApiError, send } from "../api/request";
import { type ChatMessage, lastingId, newId, question, waitsForApproval } from "./message";
import { onTabChange, tellTabs } from "./tabs";
import { createTransport } from "./transport";

/** A question that was not sent, or an edit of one, and why. */
export interface Unsent {
  message: ChatMessage;
  replaces: boolean;
  error: unknown;
}

/** The messages known from before `first`; null when it is not among the known. */
function olderThan(first: ChatMessage | undefined, known: ChatMessage[]) {
  const at = known.findIndex((message) => message.id === first?.id);
  return at < 0 ? null : known.slice(0, at);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * One open chat. The server's rows are the truth: whenever a stream ends, however it ends, and
 * whenever another tab has changed the chat, the messages are read again, and an answer that is
 * still being written is followed.
 */
export function useConversation(opened: ChatDetail, opening: string | null, changedAt: string | undefined) {
  const { id } = opened.chat;
  const [unsent, setUnsent] = useState<Unsent | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [stopping, setStopping] = useState(false);
  const [resuming, setResuming] = useState(false);
  const [next, setNext] = useState(opened.next);

  const open = useRef(true);
  const catchingUp = useRef(false);
  const seenAt = useRef(opened.chat.updatedAt);
  const streamed = useRef(false);
  const lastError = useRef<unknown>(null);
  const outgoing = useRef<Omit<Unsent, "error"> | null>(null);

  const [chat] = useState(
    () =>
      new Chat<ChatMessage>({
        id,
        messages: opened.messages,
        generateId: newId,
        transport: createTransport(() => tellTabs(id)),
        sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
        onError: (error) => {
          streamed.current = true;
          lastError.current = error;
          setTimeout(() => void catchUp()); // once the chat has left its busy state
        },
        onFinish: ({ isAbort, isError }) => {
          streamed.current = true;
          if (isAbort || isError) return;
          outgoing.current = null;
          tellTabs(id);
          void catchUp();
        },
      }),
  );
  const { messages, status } = useChat({ chat, experimental_throttle: 50 });
  const busy = resuming || status === "submitted" || status === "streaming";

  const isBusy = () => chat.status === "submitted" || chat.status === "streaming";

  /** Reads the answer of a run from its beginning; if it was over before it could be read, its rows. */
  const follow = async (runId: string | undefined) => {
    streamed.current = false;
    // All of it comes again: what is here of it already would stand twice.
    const known = chat.messages;
    if (runId && known.at(-1)?.metadata?.runId === runId) chat.messages = known.slice(0, -1);
    await chat.resumeStream();
    if (streamed.current) return;
    chat.messages = known;
    await pause(500);
    void catchUp();
  };

  /** Says what became of the last request, where the messages do not say it themselves. */
  const explain = ({ messages, activeRun }: ChatDetail) => {
    const error = lastError.current;
    const lost = outgoing.current;
    lastError.current = null;
    outgoing.current = null;
    if (!error || activeRun) return;
    const stored = lost && !lost.replaces && messages.some((message) => lastingId(message) === lost.message.id);
    const broken = ["failed", "interrupted"].includes(messages.at(-1)?.metadata?.status ?? "");
    if (lost && !stored) setUnsent({ ...lost, error });
    else if (!broken) setProblem(error);
  };

  const adopt = (detail: ChatDetail) => {
    if (isBusy()) return;
    seenAt.current = detail.chat.updatedAt;
    explain(detail);
    setStopping(false);
    chat.clearError();
    const older = olderThan(detail.messages[0], chat.messages);
    if (!older) setNext(detail.next);
    chat.messages = [...(older ?? []), ...detail.messages];
    if (detail.activeRun && !waitsForApproval(detail.messages.at(-1))) void follow(detail.activeRun.id);
  };

  const catchUp = useCallback(async () => {
    if (catchingUp.current) return;
    catchingUp.current = true;
    try {
      for (let wait = 400; open.current && !isBusy(); wait = Math.min(wait * 1.5, 4000)) {
        try {
          adopt(await getChat(id));
          return;
        } catch (error) {
          if (!(error instanceof ApiError && error.isOffline)) {
            setProblem(error);
            return;
          }
          await pause(wait);
        }
      }
    } finally {
      catchingUp.current = false;
    }
    // Everything it uses is a ref, a setter or the one Chat of this component.
  }, [id]);

  const dispatch = async (message: ChatMessage, replaces: boolean) => {
    setProblem(null);
    setUnsent(null);
    outgoing.current = { message, replaces };
    await chat.sendMessage(replaces ? { ...message, messageId: message.id } : message);
  };

  const attempt = async (action: () => Promise<unknown>) => {
    setProblem(null);
    try {
      await action();
    } catch (error) {
      setProblem(error);
      setStopping(false);
    }
  };

  useEffect(() => {
    open.current = true;
    if (opening) void dispatch(question(opening), false);
    else if (opened.activeRun && !waitsForApproval(opened.messages.at(-1))) void follow(opened.activeRun.id);
    return () => {
      open.current = false;
      void chat.stop(); // lets go of the stream; the server goes on writing
    };
    // Once for each opened chat: the component is keyed by its id.
  }, []);

  useEffect(() => onTabChange((changed) => changed === id && !isBusy() && void catchUp()), [id, catchUp]);

  useEffect(() => {
    if (changedAt && changedAt !== seenAt.current && !busy) void catchUp();
  }, [changedAt, busy, catchUp]);

  return {
    messages,
    status,
    busy,
    stopping,
    unsent,
    problem,
    ask: (text: string) => void dispatch(question(text), false),
    edit: (messageId: string, text: string) => void dispatch(question(text, messageId), true),
    loadEarlier:
      next === null
        ? null
        : () =>
            void attempt(async () => {
              const earlier = await getChat(id, next);
              chat.messages = [...earlier.messages, ...chat.messages];
              setNext(earlier.next);
            }),
    sendAgain: () => unsent && void dispatch(unsent.message, unsent.replaces),
    forgetUnsent: () => setUnsent(null),
    regenerate: (messageId: string) => {
      setProblem(null);
      void chat.regenerate({ messageId });
    },
    respond: (approvalId: string, approved: boolean, reason?: string) => {
      setProblem(null);
      void chat.addToolApprovalResponse({ id: approvalId, approved, reason });
    },
    stop: () => {
      setStopping(true);
      void attempt(() => stopAnswer(id));
    },
    /** Has the last answer written again. What its tools have found is used, and its text replaced. */
    resume: () =>
      void attempt(async () => {
        setResuming(true);
        try {
          const started = await send(`/api/chats/${encodeURIComponent(id)}/resume`, { method: "POST" });
          await started.body?.cancel();
          tellTabs(id);
          await follow(chat.messages.at(-1)?.metadata?.runId);
        } finally {
          setResuming(false);
        }
      }),
  };
}

export type Conversation = ReturnType<typeof useConversation>;
