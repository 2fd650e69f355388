/** The one shape of every control loop. `runController` (same folder) gives it its queue, its workers and its back-off. */

export interface Result {
  /** Milliseconds until the key is to be looked at again, however quiet the cluster is. */
  readonly requeueAfter?: number
}

/**
 * Brings one object's world to what its spec says. Called with the key (`namespace/name`, or `name`) of an object that
 * may have changed or gone; must be safe to call at any time and any number of times. A throw requeues with back-off;
 * a conflict or not-found of a stale read is no error worth a log line at the default level.
 */
export interface Reconciler {
  reconcile(key: string, signal: AbortSignal): Promise<Result | void>
}
