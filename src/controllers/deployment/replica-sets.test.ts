import { describe, expect, it } from 'vitest'
import type { Deployment } from './replica-sets.ts'
import { revised, sizeAnnotations } from './replica-sets.ts'

describe('the annotations of a replica set', () => {
  it('have no more of the history of its revisions than 2000 characters, the newest', () => {
    const before = { 'deployment.kubernetes.io/revision': '1000', 'deployment.kubernetes.io/revision-history': Array.from({ length: 500 }, (_, i) => String(100 + i)).join(',') }
    const history = revised(before, 1001n)['deployment.kubernetes.io/revision-history'] ?? ''
    expect(history.length).toBeLessThanOrEqual(2000)
    expect(history.length).toBeGreaterThan(1990)
    expect(history.endsWith('598,599,1000')).toBe(true)
  })

  it('have the surge of a deployment without pods too', () => {
    const empty = { spec: { replicas: 0, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } } } } as unknown as Deployment
    expect(sizeAnnotations(empty)).toEqual({ 'deployment.kubernetes.io/desired-replicas': '0', 'deployment.kubernetes.io/max-replicas': '2' })
  })
})
