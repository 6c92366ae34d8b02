import { getToolName } from "ai";
import { useIsAdministrator } from "../account/role";
import type { Passage } from "../api/handbook";
import { Fields } from "../ui/Fields";
import { Fold } from "../ui/Fold";
import type { IconName } from "../ui/Icon";
import { JsonTree } from "../ui/JsonTree";
import { counted, words } from "../ui/format";
import { Approval } from "./Approval";
import { passagesOf, searchTool, type ToolPart } from "./message";
import { SearchResults } from "./SearchResults";

const icons: Record<string, IconName> = {
  [searchTool]: "search",
  check_vacation_balance: "calendar",
  request_time_off: "calendar",
};

interface Props {
  part: ToolPart;
  live: boolean;
  onOpen: (passage: Passage) => void;
  onRespond: (approvalId: string, approved: boolean, reason?: string) => void;
}

/**
 * A call of a tool: what it was asked, what came of it, and the approval it may wait for. Only
 * administrators see the arguments and the result as the model has them.
 */
export function ToolCard({ part, live, onOpen, onRespond }: Props) {
  const isAdministrator = useIsAdministrator();
  const name = getToolName(part);
  if (part.state === "approval-requested") {
    return <Approval name={name} input={part.input} onRespond={(...answer) => onRespond(part.approval.id, ...answer)} />;
  }
  const passages = passagesOf(part);
  const isSearch = name === searchTool;
  // The stream tells that a call was denied, but not by which approval.
  const denial = part.approval as { reason?: string } | undefined;
  return (
    <Fold
      icon={icons[name] ?? "tool"}
      testId="tool-card"
      title={<Title part={part} name={name} />}
      trailing={<Outcome part={part} live={live} />}
    >
      <div className="space-y-3">
        {(isAdministrator || !isSearch) && !isEmpty(part.input) && (
          <Block label={isAdministrator ? "Arguments" : "Request"}>
            {isAdministrator ? <JsonTree value={part.input} /> : <Fields of={part.input} />}
          </Block>
        )}
        {part.state === "output-error" && <Block label="Error">{part.errorText}</Block>}
        {part.state === "output-denied" && denial?.reason && <Block label="Reason">{denial.reason}</Block>}
        {part.state === "output-available" && (
          <Block label="Result">
            {isSearch && passages.length > 0 ? (
              <SearchResults passages={passages} onOpen={onOpen} />
            ) : isSearch ? (
              "No passage of the handbook is near this."
            ) : isAdministrator ? (
              <JsonTree value={part.output} />
            ) : (
              <Fields of={part.output} />
            )}
          </Block>
        )}
      </div>
    </Fold>
  );
}

const isEmpty = (input: unknown) => Object.keys((input ?? {}) as object).length === 0;

function Title({ part, name }: { part: ToolPart; name: string }) {
  const query = name === searchTool && (part.input as { query?: unknown } | undefined)?.query;
  return (
    <>
      <span className="font-medium">{name === searchTool ? "Handbook search" : words(name)}</span>
      {typeof query === "string" && <span className="text-muted"> · {query}</span>}
    </>
  );
}

function Outcome({ part, live }: { part: ToolPart; live: boolean }) {
  const found = passagesOf(part).length;
  const [text, tone] = {
    "input-streaming": live ? ["Preparing…", "text-muted"] : ["Interrupted", "text-warn"],
    "input-available": live ? ["Running…", "text-muted"] : ["Interrupted", "text-warn"],
    "approval-requested": ["Waiting for you", "text-warn"],
    "approval-responded": part.approval?.approved ? ["Approved", "text-accent"] : ["Denied", "text-bad"],
    "output-available": [found ? counted(found, "passage") : "Done", "text-accent"],
    "output-error": ["Failed", "text-bad"],
    "output-denied": ["Denied", "text-bad"],
  }[part.state] as [string, string];
  return <span className={`shrink-0 text-xs font-medium ${tone}`}>{text}</span>;
}

function Block({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <section>
      <h4 className="mb-1 text-xs font-semibold text-muted">{label}</h4>
      <div className="overflow-x-auto text-[0.8125rem]">{children}</div>
    </section>
  );
}
