"""The promises every database has to keep, as tests to inherit.

    class TestMyStore(Conformance):
        @pytest.fixture
        async def backend(self):
            async with Database("...") as db:
                yield db

        @pytest.fixture
        async def elsewhere(self):
            async with Database("...") as db:
                yield db

`backend` is anything with a `store` and a `runtime`; `elsewhere` is the same database as another
process has it. Chats need a column `user_id` for text. The tables are there already, and may hold
chats of other tests.
"""

from .answers import AnswersAreRows
from .approvals import CallsAreApproved
from .attachments import FilesAreKept
from .branching import BranchesAreKept, ChatsAreForked
from .budgets import BudgetsAreKept
from .changing import ChatsAreChanged
from .chats import ChatsAreKept
from .compaction import ChatsAreCompacted
from .conversations import ConversationsAreStored
from .deleting import ChatsAreDeletedForATime
from .early import DeliveryCanBeEarly
from .events import EventsAreTold
from .failures import FailuresLoseNothing
from .fencing import RunsAreFenced
from .guards import GuardsHold
from .hooks import HooksAreCalled
from .ledger import TheLedgerIsWhole
from .lookups import ChatsAreLookedUp
from .made import WhatAModelMakesIsStreamed
from .persisted import OwnAgentsAreRecorded
from .placeholders import PlaceholdersAreRestored
from .processes import ProcessesShare
from .rating import AnswersAreRated
from .repair import TheDeadAreRepaired
from .replacing import AnswersAreReplaced
from .replay import HistoryIsReplayed
from .replayed_scripts import StoredChatsAreReplayed
from .resuming import RunsAreResumed
from .searching import WhatWasSaidIsFound
from .serving import AnswersAreServed
from .sums import SumsAreExact
from .takeover import WorkersTakeOver
from .titles import TitlesAreKept
from .titling import TitlesAreWritten
from .tools import ToolsAreRecorded
from .typed import AnswersAreTyped
from .values import ValuesComeBack
from .workers import WorkersAnswer


class Conformance(
    ChatsAreKept,
    BranchesAreKept,
    ChatsAreForked,
    AnswersAreRated,
    ChatsAreChanged,
    ChatsAreCompacted,
    TitlesAreKept,
    TitlesAreWritten,
    AnswersAreRows,
    DeliveryCanBeEarly,
    FailuresLoseNothing,
    ToolsAreRecorded,
    AnswersAreTyped,
    WhatAModelMakesIsStreamed,
    ValuesComeBack,
    HistoryIsReplayed,
    StoredChatsAreReplayed,
    SumsAreExact,
    GuardsHold,
    BudgetsAreKept,
    HooksAreCalled,
    PlaceholdersAreRestored,
    ProcessesShare,
    TheDeadAreRepaired,
    RunsAreFenced,
    CallsAreApproved,
    RunsAreResumed,
    AnswersAreReplaced,
    WorkersAnswer,
    WorkersTakeOver,
    AnswersAreServed,
    OwnAgentsAreRecorded,
    ConversationsAreStored,
    FilesAreKept,
    ChatsAreDeletedForATime,
    EventsAreTold,
    TheLedgerIsWhole,
    ChatsAreLookedUp,
    WhatWasSaidIsFound,
):
    """Inherit, and give the fixtures `backend` and `elsewhere`."""


__all__ = ["Conformance"]
