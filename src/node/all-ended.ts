/**
 * What all of them resolve with; rejects as the first of them did, but only when every one has ended: nothing of them goes on behind the back
 * of whoever cleans up after the failure.
 */
export async function allEnded<T extends readonly unknown[]>(work: readonly [...{ [K in keyof T]: Promise<T[K]> }]): Promise<T> {
  await Promise.allSettled(work)
  return Promise.all(work) as Promise<unknown> as Promise<T>
}
