import { afterAll, expect, it } from 'vitest'
import { core } from '../../src/api/index.ts'
import { isApiError, isExpired } from '../../src/machinery/errors.ts'
import { freePort } from '../support/control-plane.ts'
import { killedPlane } from '../support/killed.ts'

const { start, kill, remove } = killedPlane('plane-kill')
afterAll(remove)

type Client = Awaited<ReturnType<typeof start>>
const map = (name: string, n: number) => ({ metadata: { name, namespace: 'default' }, data: { n: String(n) } })

/** What the API server said yes to, by name; undefined: deleted. The newest answer of a writer that was cut off may or may not have happened. */
async function storm(client: Client, acknowledged: Map<string, string | undefined>, doubtful: Set<string>, round: number, writer: number): Promise<void> {
  for (let i = 0; ; i++) {
    const name = `r${round}-w${writer}-${i % 40}`
    doubtful.add(name)
    try {
      const there = acknowledged.get(name)
      if (there === undefined) acknowledged.set(name, (await client.create(core.configmaps, map(name, i))).metadata.resourceVersion)
      else if (i % 3 === 0) {
        await client.delete(core.configmaps, name, { namespace: 'default' })
        acknowledged.set(name, undefined)
      } else acknowledged.set(name, (await client.update(core.configmaps, map(name, i))).metadata.resourceVersion)
    } catch (error) {
      if (isApiError(error)) throw error
      return
    }
    doubtful.delete(name)
  }
}

it('an API server killed in a storm of writes comes back with all it acknowledged, and watches resume or are told to list', async () => {
  const port = await freePort()
  const acknowledged = new Map<string, string | undefined>()
  let highest = 0
  for (let round = 0; round < 4; round++) {
    const client = await start(port)
    const { metadata, items } = await client.list(core.configmaps, { namespace: 'default' })
    expect(Number(metadata.resourceVersion)).toBeGreaterThanOrEqual(highest)
    const found = new Map(items.map((m) => [m.metadata.name ?? '', m.metadata.resourceVersion]))
    for (const [name, version] of acknowledged) expect([name, found.get(name)]).toEqual([name, version])

    const doubtful = new Set<string>()
    const writers = Array.from({ length: 8 }, (_, w) => storm(client, acknowledged, doubtful, round, w))
    await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 700))
    await kill()
    await Promise.all(writers)
    highest = Math.max(...[...acknowledged.values()].map((v) => Number(v ?? 0)))
    expect(acknowledged.size).toBeGreaterThan(0)
    for (const name of doubtful) acknowledged.delete(name)
  }

  const client = await start(port)
  const from = String(highest - 10)
  const events: string[] = []
  try {
    for await (const event of client.watch(core.configmaps, { namespace: 'default', resourceVersion: from, signal: AbortSignal.timeout(5_000) })) {
      events.push(event.object.metadata.resourceVersion ?? '')
      if (Number(events.at(-1)) >= highest) break
    }
    expect(events).toContain(String(highest))
    expect(events.map(Number)).toEqual(events.map(Number).toSorted((a, b) => a - b))
  } catch (error) {
    expect(isExpired(error)).toBe(true)
  }
})
