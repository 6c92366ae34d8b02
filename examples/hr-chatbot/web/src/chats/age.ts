import type { Chat } from "../api/chats";

const dayLength = 86_400_000;

/** Chats under "Today", "Yesterday", "This week" and "Earlier", in the order they came. */
export function groupByAge(chats: Chat[], now = new Date()): [string, Chat[]][] {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const age = (chat: Chat) => {
    const at = Date.parse(chat.updatedAt);
    if (at >= midnight) return "Today";
    if (at >= midnight - dayLength) return "Yesterday";
    return at >= midnight - 6 * dayLength ? "This week" : "Earlier";
  };
  return [...Map.groupBy(chats, age)];
}
