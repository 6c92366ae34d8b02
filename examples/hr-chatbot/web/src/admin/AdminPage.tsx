import { AuditSearch } from "./AuditSearch";
import { AuditTrailView } from "./AuditTrailView";
import { UsageReport } from "./UsageReport";

export default function AdminPage({ chatId }: { chatId: string | null }) {
  return (
    <div className="min-h-0 flex-1 scrollbar-stable overflow-y-auto" data-testid="admin">
      <div className="mx-auto w-full max-w-6xl space-y-10 px-4 py-8 sm:px-8">
        {chatId ? (
          <AuditTrailView key={chatId} id={chatId} />
        ) : (
          <>
            <UsageReport />
            <AuditSearch />
          </>
        )}
      </div>
    </div>
  );
}
