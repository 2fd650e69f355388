/** Lets watches, queues and workers that have something to do run until they wait for time or for someone else. */
export async function settle(rounds = 20): Promise<void> {
  for (let i = 0; i < rounds; i++) await new Promise((resolve) => setImmediate(resolve))
}
