import { useCallback, useEffect, useState } from "react";
import { isReachable, onConnectionChange } from "../api/connection";
import { ApiError } from "../api/request";

/**
 * What `load` brings, and how to try again. Changing `key` loads anew; a late answer to an old
 * key is dropped. What failed because the server was away is loaded once it is back.
 */
export function useLoaded<T>(load: () => Promise<T>, key: string) {
  const [state, setState] = useState<{ key: string; data?: T; error?: unknown }>({ key });
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let current = true;
    load().then(
      (data) => current && setState({ key, data }),
      (error: unknown) => current && setState({ key, error }),
    );
    return () => {
      current = false;
    };
    // `key` names everything that `load` depends on.
  }, [key, attempt]);

  const retry = useCallback(() => {
    setState({ key });
    setAttempt((n) => n + 1);
  }, [key]);
  const reload = useCallback(() => setAttempt((n) => n + 1), []);

  const { error } = state;
  useEffect(() => {
    if (!(error instanceof ApiError && error.isOffline)) return;
    return onConnectionChange(() => isReachable() && retry());
  }, [error, retry]);

  const settled = state.key === key ? state : { key };
  return { data: settled.data, error: settled.error, retry, reload };
}
