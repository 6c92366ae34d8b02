import { useSyncExternalStore } from "react";

/** Whether the server answered the last time anybody asked it anything. */
let reachable = true;
const listeners = new Set<() => void>();

export function reportReachable(now: boolean) {
  if (now === reachable) return;
  reachable = now;
  for (const listener of [...listeners]) listener();
}

export function onConnectionChange(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export const isReachable = () => reachable;

export const useReachable = () => useSyncExternalStore(onConnectionChange, isReachable);
