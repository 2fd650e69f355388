/** The interface of every control loop. `runController` (same folder) provides its queue, workers and back-off. */

export interface Result {
  /** Milliseconds after which the key is reconciled again even if nothing changes. */
  readonly requeueAfter?: number
}

/**
 * Makes the world match one object's spec. Called with the key (`namespace/name`, or `name`) of an object that may have
 * changed or gone; must be safe to call at any time and any number of times. Throwing requeues the key with back-off;
 * a conflict or not-found after a stale read is not logged at the default level.
 */
export interface Reconciler {
  reconcile(key: string, signal: AbortSignal): Promise<Result | void>
}
