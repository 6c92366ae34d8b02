import { demoAccounts, type User } from "../api/account";
import { useLoaded } from "../ui/useLoaded";
import { product, useTitle } from "../ui/useTitle";
import { SignIn } from "./SignIn";

export function SignInPage({ onSignedIn }: { onSignedIn: (user: User) => void }) {
  const { data } = useLoaded(demoAccounts, "demo");
  useTitle(product);
  return <SignIn demo={data ?? []} onSignedIn={onSignedIn} />;
}
