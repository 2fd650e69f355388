import { expect, it } from 'vitest'
import { latencyAnnotations, spend, type Stretches } from './latency.ts'

it('says of slow requests alone where their time went; of webhooks that are asked side by side, the slowest', () => {
  const stretches: Stretches = new Map()
  spend(stretches, 'authentication', 0.1625)
  spend(stretches, 'mutating-webhook', 300)
  spend(stretches, 'mutating-webhook', 100.5)
  spend(stretches, 'validating-webhook', 50)
  spend(stretches, 'validating-webhook', 20)
  expect(latencyAnnotations(stretches, 499)).toEqual([])
  expect(Object.fromEntries(latencyAnnotations(stretches, 1263.550279))).toEqual({
    'apiserver.latency.k8s.io/authentication': '162.5µs',
    'apiserver.latency.k8s.io/mutating-webhook': '400.5ms',
    'apiserver.latency.k8s.io/validating-webhook': '50ms',
    'apiserver.latency.k8s.io/total': '1.263550279s',
  })
})
