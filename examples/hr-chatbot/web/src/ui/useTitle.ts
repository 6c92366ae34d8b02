import { useEffect } from "react";

export const product = "Handbook assistant";

/** The title of the browser's tab. */
export function useTitle(title: string) {
  useEffect(() => {
    document.title = title === product ? product : `${title} · ${product}`;
  }, [title]);
}
