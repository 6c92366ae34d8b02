import { useEffect, useState, useSyncExternalStore } from "react";

const still = window.matchMedia("(prefers-reduced-motion: reduce)");

const subscribe = (onChange: () => void) => {
  still.addEventListener("change", onChange);
  return () => still.removeEventListener("change", onChange);
};

/** Whole seconds since this was first shown, where nothing may move that would tell so; else 0. */
export function useWaited(): number {
  const isStill = useSyncExternalStore(subscribe, () => still.matches);
  const [begun] = useState(() => performance.now());
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (!isStill) return;
    const timer = setInterval(() => setSeconds(Math.floor((performance.now() - begun) / 1000)), 250);
    return () => clearInterval(timer);
  }, [isStill, begun]);
  return isStill ? seconds : 0;
}
