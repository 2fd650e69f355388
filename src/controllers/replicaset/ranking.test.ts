import { describe, expect, it } from 'vitest'
import type { core } from '../../api/index.ts'
import { rankForDeletion } from './ranking.ts'

const now = Date.parse('2026-01-01T00:10:00Z')
const pod = (name: string, more: { readonly node?: string; readonly phase?: string; readonly sidecar?: number; readonly init?: number } = {}) => ({
  metadata: { name, uid: name, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { nodeName: more.node ?? 'n1', containers: [], initContainers: [{ name: 's', restartPolicy: 'Always' }, { name: 'i' }] },
  status: {
    phase: more.phase ?? 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    initContainerStatuses: [{ name: 's', restartCount: more.sidecar ?? 0 }, { name: 'i', restartCount: more.init ?? 0 }],
  },
}) as unknown as core.Pod
const names = (pods: readonly core.Pod[]) => pods.map((p) => p.metadata.name)

describe('the order in which pods go', () => {
  it('has first what shares its node with more that runs: what has ended does not count', () => {
    const [a, b, c] = [pod('a'), pod('b', { node: 'n2' }), pod('c', { node: 'n2' })]
    const ended = ['x', 'y', 'z'].map((name) => pod(name, { phase: 'Failed' }))
    expect(names(rankForDeletion([a, b, c], [a, b, c, ...ended], now))).toEqual(['b', 'c', 'a'])
  })

  it('has first what has sidecars that restarted more often, whatever other init containers did', () => {
    const pods = [pod('a', { init: 9 }), pod('b', { sidecar: 1 }), pod('c', { sidecar: 3 })]
    expect(names(rankForDeletion(pods, pods, now))).toEqual(['c', 'b', 'a'])
  })
})
