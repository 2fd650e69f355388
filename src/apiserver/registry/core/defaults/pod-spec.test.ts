import { expect, it } from 'vitest'
import { core } from '../../../../api/index.ts'
import { complete } from '../../testing.ts'
import { podDefaults } from './pod-spec.ts'

const downward = { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] }

it('give the same pod back when it has everything already: what nobody changes is neither copied nor looked at again', () => {
  const pod = complete(core.pods, {
    metadata: { name: 'a' },
    spec: {
      containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }], env: [{ name: 'E', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }], livenessProbe: { httpGet: { port: 80 } }, resources: { limits: { cpu: '1' } } }],
      volumes: [{ name: 'v' }, { name: 'd', downwardAPI: downward }, { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { downwardAPI: downward }] } }],
    },
  })
  expect(podDefaults(pod)).toBe(pod)
})
