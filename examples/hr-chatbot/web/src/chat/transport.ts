import { DefaultChatTransport } from "ai";
import { send } from "../api/request";
import type { ChatMessage } from "./message";

const api = "/api/chats";

/**
 * The AI SDK's own wire, with two habits of this server: it holds the history, so only the last
 * message is sent, and a refusal is an `ApiError`. `onAccepted` hears that a message is stored.
 */
export function createTransport(onAccepted: () => void) {
  return new DefaultChatTransport<ChatMessage>({
    api,
    fetch: async (input, init) => {
      const response = await send(input, init);
      if (init?.method === "POST") onAccepted();
      return response;
    },
    prepareSendMessagesRequest: ({ id, messages, trigger, messageId }) => ({
      body: { id, messages: messages.slice(-1), trigger, messageId },
    }),
    prepareReconnectToStreamRequest: ({ id }) => ({
      api: `${api}/${encodeURIComponent(id)}/stream`,
    }),
  });
}
