import { SignInPage } from "./account/SignInPage";
import { useUser } from "./account/useUser";
import { Brand } from "./ui/Brand";
import { Failure } from "./ui/Failure";
import { Loading } from "./ui/Loading";
import { Workspace } from "./Workspace";

export function App() {
  const { user, error, retry, signedIn, leave } = useUser();
  if (user) return <Workspace key={user.id} user={user} onSignOut={leave} />;
  if (user === null) return <SignInPage onSignedIn={signedIn} />;
  return (
    <main className="mx-auto flex min-h-full w-full max-w-sm flex-col justify-center gap-6 p-6">
      <Brand />
      {error ? <Failure error={error} onRetry={retry} /> : <Loading label="Loading" />}
    </main>
  );
}
