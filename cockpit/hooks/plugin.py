"""The small plugin that OpenCode loads: edits are asked about before they happen, events are left in the spool."""

import json
import re
from hashlib import blake2b
from pathlib import Path

from cockpit.errors import CannotAnswer

_BLOCK = re.compile(rb"// >>> cockpit [0-9a-f]{16} >>>.*?\n// <<< cockpit <<<\n", re.DOTALL)

_PROGRAM = """import { spawnSync } from "node:child_process"
import { existsSync, renameSync, writeFileSync } from "node:fs"

const SPOOL = __SPOOL__
const HOOK = __HOOK__
const ASKED = ["write", "edit", "patch", "apply_patch", "task"]
const STRICT = __STRICT__
const told = new Map()
const held = new Set()
let count = 0

function put(event) {
  try {
    if (!existsSync(SPOOL)) return
    const name = `opencode.${process.pid}-${++count}`
    writeFileSync(`${SPOOL}/.${name}`, JSON.stringify(event), { mode: 0o600 })
    renameSync(`${SPOOL}/.${name}`, `${SPOOL}/${name}`)
  } catch {}
}

function answer(event) {
  try {
    if (!existsSync(HOOK[0])) return {}
    const words = [...HOOK.slice(1), event.hook_event_name, "--agent", "opencode"]
    const done = spawnSync(HOOK[0], words, { input: JSON.stringify(event), timeout: 10000, encoding: "utf8" })
    return JSON.parse(done.stdout || "{}")
  } catch {
    return {}
  }
}

const NAMES = {
  "session.created": "SessionStart",
  "session.deleted": "SessionEnd",
  "session.idle": "Stop",
  "permission.asked": "PermissionRequest",
  "permission.updated": "PermissionRequest",
  "permission.replied": "PostToolUse",
}

// a claim that nothing backs is answered with a prompt, once for each turn: what stops here cannot be refused
function holdBack(client, session, event) {
  const again = held.delete(session)
  const said = answer({ ...event, stop_hook_active: again })
  if (said.decision !== "block") return
  held.add(session)
  const asked = { path: { id: session }, body: { parts: [{ type: "text", text: said.reason }] } }
  Promise.resolve((client.session.promptAsync ?? client.session.prompt).call(client.session, asked)).catch(() => {})
}

export const Cockpit = async ({ client, directory }) => {
  const about = (name, session, more) => ({ hook_event_name: name, session_id: session, cwd: directory, ...more })
  return {
    event: async ({ event }) => {
      const given = event.properties ?? {}
      const session = given.sessionID ?? given.info?.id
      const state = given.status?.type
      const name = event.type === "session.status" ? (state === "idle" ? "Stop" : "PostToolUse") : NAMES[event.type]
      if (!name || !session) return
      const said = about(name, session, { message: given.title ?? given.permission ?? "" })
      if (STRICT && event.type === "session.idle") holdBack(client, session, said)
      else put(said)
    },
    "tool.execute.before": async (input, output) => {
      if (!ASKED.includes(input.tool)) return
      const event = about("PreToolUse", input.sessionID, { tool_name: input.tool, tool_input: output.args })
      const said = answer(event).hookSpecificOutput ?? {}
      if (said.permissionDecision === "deny") throw new Error(said.permissionDecisionReason)
      if (said.additionalContext) told.set(input.callID, said.additionalContext)
    },
    "tool.execute.after": async (input, output) => {
      if (input.tool === "task") put(about("SubagentStop", input.sessionID, {}))
      if (!told.has(input.callID)) return
      output.output = `${output.output ?? ""}\n\n${told.get(input.callID)}`
      told.delete(input.callID)
    },
  }
}
"""


def plugin_text(present: bytes | None, path: Path, spool: Path, hook: list[str], *, strict: bool = False) -> bytes:
    """The plugin's file; `strict`: a claim that nothing backs is held back. Raises `CannotAnswer` where a file of
    somebody else is in the way."""
    program = _PROGRAM.replace("__SPOOL__", json.dumps(str(spool))).replace("__HOOK__", json.dumps(hook))
    program = program.replace("__STRICT__", json.dumps(strict))
    block = f"// >>> cockpit {'0' * 16} >>> cockpit hooks uninstall --agent opencode takes these lines out\n{program}"
    raw = block.encode("utf-8", "replace") + b"// <<< cockpit <<<\n"
    raw = raw.replace(b"0" * 16, blake2b(raw, digest_size=8).hexdigest().encode(), 1)
    if present is None or not present.strip():
        return raw
    if _BLOCK.search(present) is None:
        raise CannotAnswer(f"{path}:1: another plugin has this name", "move it, then install again")
    return _BLOCK.sub(lambda _: raw, present, count=1)


def without_plugin(present: bytes) -> bytes | None:
    """The file without our lines, None where nothing else is in it; the same where they are not there."""
    if _BLOCK.search(present) is None:
        return present
    left = _BLOCK.sub(b"", present, count=1)
    return left if left.strip() else None
