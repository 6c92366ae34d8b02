import "./careful";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { Boundary } from "./ui/Boundary";
import "./styles.css";

createRoot(document.getElementById("root")!).render(
  <Boundary>
    <App />
  </Boundary>,
);
