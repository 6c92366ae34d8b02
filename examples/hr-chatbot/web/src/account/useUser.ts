import { useEffect, useRef, useState } from "react";
import { signOut, type User, whoAmI } from "../api/account";
import { ApiError, onSignedOut } from "../api/request";
import { useLoaded } from "../ui/useLoaded";
import { links } from "../ui/useRoute";

/** Who is signed in: undefined until known, null for nobody. */
export function useUser() {
  const { data, error, retry } = useLoaded(
    () =>
      whoAmI().catch((failure: unknown) => {
        if (failure instanceof ApiError && failure.status === 401) return null;
        throw failure;
      }),
    "me",
  );
  const [changed, setChanged] = useState<User | null>();

  const user = changed === undefined ? data : changed;
  const wasHere = useRef(false);
  wasHere.current = Boolean(user);

  /** The next one at this browser begins at home, and not where the last one was. */
  const forget = () => {
    if (wasHere.current) location.replace(links.home);
    setChanged(null);
  };

  useEffect(() => onSignedOut(forget), []);

  return {
    user,
    error,
    retry,
    signedIn: (user: User) => setChanged(user),
    leave: async () => {
      await signOut();
      forget();
    },
  };
}
