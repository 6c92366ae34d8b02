import { useEffect, useState } from "react";
import { signOut, type User, whoAmI } from "../api/account";
import { ApiError, onSignedOut } from "../api/request";
import { useLoaded } from "../ui/useLoaded";

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

  useEffect(() => onSignedOut(() => setChanged(null)), []);

  return {
    user: changed === undefined ? data : changed,
    error,
    retry,
    signedIn: (user: User) => setChanged(user),
    leave: async () => {
      await signOut();
      setChanged(null);
    },
  };
}
