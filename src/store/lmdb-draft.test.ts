import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** Bytes of V8's old generation that a draft of one write takes, although it is forgotten at once. */
const retained = (): number => Number(execFileSync(process.execPath, [
  '--disable-warning=ExperimentalWarning', '--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64', '--no-allocation-site-pretenuring', '--input-type=module', '-e', `
import { getHeapSpaceStatistics } from 'node:v8'
const { Draft } = await import(${JSON.stringify(new URL('lmdb-draft.ts', import.meta.url).href)})
const space = { pending: { newest: () => undefined, at: () => undefined }, tables: { keys: { getBinaryFast: () => undefined }, tombs: { getBinaryFast: () => undefined } } }
const state = { revision: 1, compacted: 1, lastLease: 0 }
const leases = { get: () => undefined, keysOf: () => [] }
const value = Buffer.from('value')
const draft = () => {
  const made = new Draft(space, state, leases)
  made.commit({ conditions: [{ key: 'a', modRevision: 0 }], writes: [{ op: 'put', key: 'a', value }] })
  return made.rows + made.bytes + made.state.revision
}
const old = () => getHeapSpaceStatistics().find((space) => space.space_name === 'old_space').space_used_size
for (let i = 0; i < 5000; i++) draft()
gc()
const before = old()
for (let i = 0; i < 20_000; i++) draft()
console.log((old() - before) / 20_000)
`], { encoding: 'utf8' }))

it('leaves nothing in the old generation: whatever is there keeps what it refers to until the next full collection', () => {
  expect(retained()).toBeLessThan(8)
})
