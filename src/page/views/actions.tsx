import { useRef, useState } from "preact/hooks";
import type { ActionName, QueueRow } from "../../inspector/protocol.js";
import { act } from "../state/api.js";
import { useView } from "../state/view.js";

const WORDS: Readonly<Record<ActionName, string>> = {
  pause: "Pause",
  resume: "Resume",
  resize: "Resize",
  drain: "Drain",
  report: "Write a report",
};

/** Kept until the page is closed, and nowhere else. */
let token = "";

/** What the server allows one to do; each action is asked for once more, with the token. */
export function Actions({ row }: { row: QueueRow }) {
  const { state } = useView();
  const [chosen, choose] = useState<ActionName>();
  const [outcome, tell] = useState<string>();
  const dialog = useRef<HTMLDialogElement>(null);
  const actions = state.hello?.actions ?? [];
  if (actions.length === 0) return null;

  const take = async (form: HTMLFormElement) => {
    const data = new FormData(form);
    token = `${data.get("token") ?? ""}`;
    const concurrency = Number(data.get("concurrency"));
    try {
      const { done } = await act(
        {
          action: chosen!,
          process: row.process,
          queue: row.name,
          ...(chosen === "resize" && { concurrency }),
        },
        token,
      );
      tell(done.outcome);
      dialog.current?.close();
    } catch (error) {
      tell((error as Error).message);
    }
  };
  return (
    <span class="actions">
      <select
        aria-label="Actions"
        value=""
        onChange={({ currentTarget }) => {
          choose(currentTarget.value as ActionName);
          currentTarget.value = "";
          tell(undefined);
          dialog.current?.showModal();
        }}
      >
        <option value="" disabled>
          Actions
        </option>
        {actions.map((action) => (
          <option key={action} value={action}>
            {WORDS[action] ?? action}
          </option>
        ))}
      </select>
      {outcome !== undefined && chosen !== undefined && (
        <span class="muted" role="status">
          <bdi>{outcome}</bdi>
        </span>
      )}
      <dialog ref={dialog} aria-labelledby="action-title">
        {chosen !== undefined && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void take(event.currentTarget);
            }}
          >
            <h2 id="action-title">
              {WORDS[chosen] ?? chosen}: <bdi>{row.name}</bdi>
            </h2>
            {chosen === "resize" && (
              <label>
                Concurrency
                <input name="concurrency" type="number" min="1" step="1" required />
              </label>
            )}
            <label>
              Token
              <input name="token" type="password" autocomplete="off" defaultValue={token} />
            </label>
            {outcome !== undefined && <p role="alert">{outcome}</p>}
            <div class="dialog-buttons">
              <button type="button" onClick={() => dialog.current?.close()}>
                Cancel
              </button>
              <button type="submit" class="primary">
                {WORDS[chosen] ?? chosen}
              </button>
            </div>
          </form>
        )}
      </dialog>
    </span>
  );
}
