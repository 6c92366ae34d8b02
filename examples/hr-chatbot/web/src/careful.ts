import { config } from "zod/v4";

// The AI SDK checks what comes with zod, which would compile its checks with eval: the page's
// content security policy forbids that, rightly. Imported before everything that uses zod.
config({ jitless: true });
