"""The web application: who may, what is where, and chatrecord's routes among it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.routing import Route

from chatrecord.web import chat_routes

from . import admin, documents, sign_in
from .crowding import PerPerson
from .hr import Hr
from .origin import SameOrigin
from .pages import CarefulHeaders, add_pages
from .problems import add_problems
from .settings import HERE
from .sign_in import HrDep, Me
from .sizes import LARGEST_QUESTION, SizeLimit
from .time_off import Vacation
from .titles import Titles

CHATS = "/api/chats"

vacation = APIRouter(prefix="/api")


def create_app(hr: Hr) -> FastAPI:
    app = FastAPI(title="HR chatbot", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.hr = hr
    app.state.door = sign_in.Door()
    app.routes.extend(_chats(hr))
    for router in (sign_in.router, vacation, documents.router):
        app.include_router(router)
    app.mount(admin.PATH, admin.administration(hr))
    add_problems(app)
    add_pages(app, HERE / "web" / "dist")
    app.add_middleware(SizeLimit)
    app.add_middleware(SameOrigin, settings=hr.settings)
    app.add_middleware(CarefulHeaders)
    return app


def _chats(hr: Hr) -> list[Route]:
    """chatrecord's routes: everybody's own chats, with tools for whoever is signed in."""
    titles = Titles(hr.db, hr.agent)

    def owner(request: Request) -> dict[str, int] | None:
        person = request.state.person
        return None if person is None else {"user_id": person.id}

    def options(request: Request, scope: Mapping[str, Any]) -> dict[str, Any]:
        is_administrator = request.state.person.role == "administrator"
        desk = hr.desk_of(scope["user_id"], is_administrator=is_administrator)
        return {"deps": desk, "hooks": [titles]}

    routes = chat_routes(
        hr.db, hr.agent, owner=owner, prefix=CHATS, options=options, max_body=LARGEST_QUESTION
    )
    people = PerPerson(hr, CHATS)
    for route in routes:
        route.app = people.around(route.app)
    return routes


@vacation.get("/vacation")
async def my_vacation(me: Me, hr: HrDep) -> Any:
    """The balance of this year, what is booked, and a day that could be."""
    mine = Vacation(hr.sessions, me.id, site=hr.settings.site)
    balance = await mine.balance(date.today().year)
    return {
        "year": balance.year,
        "entitled": balance.entitled,
        "taken": balance.taken,
        "left": balance.left,
        "freeFriday": await mine.free_friday(date.today() + timedelta(days=30)),
        "requests": [
            {
                "firstDay": it.first_day,
                "lastDay": it.last_day,
                "days": it.days,
                "reason": it.reason,
            }
            for it in await mine.booked()
        ],
    }
