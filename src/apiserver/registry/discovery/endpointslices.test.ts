import { describe, expect, it } from 'vitest'
import { discovery } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { strategyFor } from '../strategies.ts'
import { complete, created, environment, updated } from '../testing.ts'

const slices = discovery.endpointslices
const strategy = strategyFor(slices as never, environment) as unknown as Strategy<discovery.EndpointSlice>
const endpoint = { addresses: ['10.0.0.1'], deprecatedTopology: { zone: 'a' } }
const slice = (endpoints: readonly object[], labels = {}) => ({ metadata: { name: 'a', namespace: 'default', labels }, addressType: 'IPv4', endpoints, ports: [] })

describe('an endpoint slice', () => {
  it('takes no places of the old form', () => {
    expect(created(slices, slice([endpoint])).endpoints[0]?.deprecatedTopology).toBeUndefined()
  })
  it('keeps those it has while its endpoints stay', () => {
    const stored = complete(slices, slice([endpoint]))
    expect(updated(slices, slice([endpoint], { a: 'b' }), stored).endpoints[0]?.deprecatedTopology).toEqual({ zone: 'a' })
    expect(updated(slices, slice([endpoint, { addresses: ['10.0.0.2'] }]), stored).endpoints[0]?.deprecatedTopology).toBeUndefined()
  })
  it.each([
    ['its labels', slice([], { a: 'b' }), true], ['its endpoints', slice([endpoint]), true], ['its annotations', { ...slice([]), metadata: { name: 'a', namespace: 'default', annotations: { a: 'b' } } }, false],
  ])('is of another generation with %s: ', (_, next, counts) => {
    expect(strategy.moved?.(complete(slices, next), complete(slices, slice([])))).toBe(counts)
  })
})
