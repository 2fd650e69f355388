/** Writes that wait for the disk. They do not need the event loop meanwhile, so flow control lets others begin in their place. */
export interface Commits {
  /** How many the store has not answered yet. */
  readonly pending: number
  /** Calls back whenever one more is pending. */
  watch(callback: () => void): void
}

/** The registry's side of it: every write says when it begins to wait and when it ends. */
export interface CommitCount extends Commits {
  began(): void
  ended(): void
}

export function createCommitCount(): CommitCount {
  let pending = 0
  const callbacks: (() => void)[] = []
  return {
    get pending() { return pending },
    watch: (callback) => void callbacks.push(callback),
    began() {
      pending++
      for (const callback of callbacks) callback()
    },
    ended() { pending-- },
  }
}
