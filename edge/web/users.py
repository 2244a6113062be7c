"""Users of the page: the list, and what an admin changes of them. Whoever changes loses his sessions."""

from __future__ import annotations

from edge.web import api
from edge.web.accounts import AccountError
from edge.web.actions import Action
from edge.web.door import Door
from edge.web.sessions import Session


def user_rows(door: Door) -> list[api.UserRow]:
    now_s = door.mono_s()
    return [
        api.UserRow(
            name=user.name,
            role=user.role,
            must_change_password=user.must_change_password,
            made_ms=user.made_ms,
            last_login_ms=user.last_login_ms,
            locked_until_ms=_until(door, door.lockout.user_wait_s(user.name, now_s)),
        )
        for user in door.accounts.users()
    ]


def _until(door: Door, wait_s: float) -> int:
    return door.wall_ms() + round(wait_s * 1000) if wait_s else 0


async def change_user(door: Door, action: Action, order: api.Body, who: Session) -> api.ActionResult:
    """Raises `AccountError`."""
    accounts, password = door.accounts, ""
    assert isinstance(order, api.UserAdd | api.UserNamed)
    name = order.name
    if isinstance(order, api.UserAdd) and action.name == "user_add":
        role = order.role
        password = await door.work(lambda: accounts.add(name, role))
        zh, en = f"已新增 {name}, 初始密码只显示一次", f"{name} added, the first password is shown once"
    elif isinstance(order, api.UserAdd):
        role = order.role
        await door.work(lambda: accounts.set_role(name, role))
        zh, en = f"{name} 的角色已更改", f"the role of {name} was changed"
    elif action.name == "user_reset":
        password = await door.work(lambda: accounts.reset(name))
        door.lockout.forgive(name)
        zh, en = f"{name} 的密码已重置, 只显示一次", f"the password of {name} was reset, it is shown once"
    elif name == who.user:
        raise AccountError("不能删除自己", "nobody removes himself")
    else:
        await door.work(lambda: accounts.remove(name))
        zh, en = f"已删除 {name}", f"{name} removed"
    if name != who.user or action.name != "user_add":
        door.sessions.end_user(name)
    return api.ActionResult(True, zh, en, password=password)
