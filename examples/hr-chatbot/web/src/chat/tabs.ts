/** Tells the other tabs of this browser that a chat has changed, sooner than they would look. */
const channel = "BroadcastChannel" in window ? new BroadcastChannel("hr-chatbot") : null;

export const tellTabs = (chatId: string) => channel?.postMessage(chatId);

export function onTabChange(listener: (chatId: string) => void) {
  const heard = (event: MessageEvent<string>) => listener(event.data);
  channel?.addEventListener("message", heard);
  return () => channel?.removeEventListener("message", heard);
}
