import { Component, type ReactNode } from "react";
import { Button } from "./Button";

/** Says that the page broke, instead of leaving it blank. */
export class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  render() {
    if (!this.state.broken) return this.props.children;
    return (
      <main className="mx-auto flex min-h-full max-w-sm flex-col justify-center gap-4 p-6">
        <h1 className="font-serif text-2xl">This page broke</h1>
        <p className="text-muted">Your chats are safe on the server.</p>
        <Button look="primary" onClick={() => location.reload()}>
          Load it again
        </Button>
      </main>
    );
  }
}
