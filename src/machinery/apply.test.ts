import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apps, core, mapList, opt, root, string, struct, zero, int32, fill, map, meta, type StructType } from '../api/index.ts'
import { applyConfiguration, updateManagedFields, withManagersReset, type ApplyOptions } from './apply.ts'
import { isApiError } from './errors.ts'
import { decodeObject } from './json.ts'
import { deepFreeze } from './meta.ts'

const start = Date.parse('2026-01-01T00:00:00Z')
const decode = <T>(type: StructType<T>, value: unknown): T => deepFreeze(decodeObject(type, value).object)
const head = { kind: 'Deployment', apiVersion: 'apps/v1' }
const deployment = (spec: object = {}, metadata: object = {}) => ({ ...head, metadata: { name: 'web', namespace: 'n', ...metadata }, spec })
const apply = (live: apps.Deployment | undefined, config: unknown, manager: string, options: Partial<ApplyOptions> = {}) =>
  deepFreeze(applyConfiguration(apps.Deployment, live, config, { manager, now: start, ...options }))
const owners = (object: { metadata: meta.ObjectMeta }) =>
  Object.fromEntries((object.metadata.managedFields ?? []).map((e) => [`${e.manager} ${e.operation}${e.subresource ? ` ${e.subresource}` : ''}`, e.fieldsV1]))
const containers = (object: apps.Deployment) => object.spec.template.spec.containers
const template = (...list: object[]) => ({ template: { spec: { containers: list } } })

describe('updateManagedFields', () => {
  const pod = decode(core.Pod, {
    kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p', labels: { run: 'p' }, uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', resourceVersion: '1' },
    spec: { containers: [{ name: 'c', image: 'i', resources: {}, ports: [{ containerPort: 80, protocol: 'TCP' }] }], dnsPolicy: 'ClusterFirst', tolerations: [{ key: 'a' }], securityContext: {} },
  })
  it('gives a new object to the one who creates it, in the form Kubernetes writes', () => {
    expect(updateManagedFields(core.Pod, undefined, pod, { manager: 'kubectl-create', now: start }).metadata.managedFields).toEqual([{
      manager: 'kubectl-create', operation: 'Update', apiVersion: 'v1', time: '2026-01-01T00:00:00Z', fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:run': {} } },
        'f:spec': {
          'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {}, 'f:ports': { '.': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} } }, 'f:resources': {} } },
          'f:dnsPolicy': {}, 'f:securityContext': {}, 'f:tolerations': {},
        },
      },
    }])
  })
  it('lets go of the last field it applied, and of nothing that nobody owns', () => {
    const type = core.ConfigMap
    const of = (live: core.ConfigMap | undefined, extra: object) =>
      decode(type, applyConfiguration(type, live, { kind: 'ConfigMap', apiVersion: 'v1', ...extra, metadata: { name: 'c', namespace: 'n', ...(extra as { metadata?: object }).metadata } }, { manager: 'm', now: start }))
    const live = of(undefined, { metadata: { labels: { a: 'b' } }, data: { x: '1' } })
    const left = of(decode(type, { ...live, metadata: { ...live.metadata, uid: 'u' } }), {})
    expect([left.metadata.name, left.metadata.uid, left.metadata.labels, left.data]).toEqual(['c', 'u', undefined, undefined])
  })
  it('takes a field from its owner when another one changes or removes it', () => {
    const created = updateManagedFields(core.Pod, undefined, pod, { manager: 'a', now: start })
    const next = decode(core.Pod, { ...created, metadata: { ...created.metadata, labels: { new: 'x' } }, spec: { ...created.spec, dnsPolicy: 'None' } })
    const out = updateManagedFields(core.Pod, created, next, { manager: 'b', now: start + 60_000 })
    expect(owners(out)['b Update']).toEqual({ 'f:metadata': { 'f:labels': { 'f:new': {} } }, 'f:spec': { 'f:dnsPolicy': {} } })
    expect(owners(out)['a Update']).toMatchObject({ 'f:metadata': { 'f:labels': {} } })
    expect(JSON.stringify(owners(out)['a Update'])).not.toMatch(/f:run|f:dnsPolicy/)
    expect(out.metadata.managedFields?.map((e) => e.time)).toEqual(['2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'])
  })
  it('keeps the entries, and the object, when nothing changed that anybody owns', () => {
    const created = updateManagedFields(core.Pod, undefined, pod, { manager: 'a', now: start })
    expect(updateManagedFields(core.Pod, created, created, { manager: 'b', now: start + 1000 })).toBe(created)
    const next = decode(core.Pod, { ...created, metadata: { ...created.metadata, resourceVersion: '2', managedFields: [] } })
    expect(updateManagedFields(core.Pod, created, next, { manager: 'b', now: start + 1000 }).metadata.managedFields).toEqual(created.metadata.managedFields)
  })
  it('writes a set that stays the same as it was, at a new time', () => {
    const first = updateManagedFields(core.Pod, undefined, pod, { manager: 'a', now: start })
    const [before] = first.metadata.managedFields!
    const again = updateManagedFields(core.Pod, first, { ...first, metadata: { ...first.metadata, labels: { run: 'q' } } }, { manager: 'a', now: start + 60_000 })
    expect(again.metadata.managedFields).toEqual([{ ...before, time: '2026-01-01T00:01:00Z' }])
    expect(again.metadata.managedFields![0]!.fieldsV1).toBe(before!.fieldsV1)
  })
  it('tells a subresource apart, and takes no entries from its requests', () => {
    const created = updateManagedFields(core.Pod, undefined, pod, { manager: 'a', now: start })
    const next = decode(core.Pod, { ...created, metadata: { ...created.metadata, managedFields: [{}] }, status: { phase: 'Running' } })
    const out = updateManagedFields(core.Pod, created, next, { manager: 'a', now: start, subresource: 'status' })
    expect(owners(out)['a Update status']).toEqual({ 'f:status': { 'f:phase': {} } })
    expect(owners(out)['a Update']).toEqual(owners(created)['a Update'])
  })
  it('forgets everything when a client says so', () => {
    const created = updateManagedFields(core.Pod, undefined, pod, { manager: 'a', now: start })
    const next = decode(core.Pod, { ...created, metadata: { ...created.metadata, managedFields: [{}] } })
    const reset = updateManagedFields(core.Pod, created, next, { manager: 'a', now: start })
    expect(reset.metadata.managedFields).toBeUndefined()
    const later = decode(core.Pod, { ...reset, spec: { ...reset.spec, dnsPolicy: 'None' } })
    expect(updateManagedFields(core.Pod, reset, later, { manager: 'a', now: start }).metadata.managedFields).toBeUndefined()
  })
  it('takes a list without entries as the same wish, and follows a new object in any case', () => {
    const created = updateManagedFields(core.Pod, undefined, decode(core.Pod, { ...pod, metadata: { ...pod.metadata, managedFields: [{}] } }), { manager: 'a', now: start })
    expect(owners(created)).toHaveProperty('a Update')
    const next = decode(core.Pod, withManagersReset({ ...created, metadata: { ...created.metadata, managedFields: [] } }))
    expect(updateManagedFields(core.Pod, created, next, { manager: 'a', now: start }).metadata.managedFields).toBeUndefined()
    expect(withManagersReset(created)).toBe(created)
  })
  it('joins the oldest updaters when there are more than ten', () => {
    let object = updateManagedFields(core.Pod, undefined, pod, { manager: 'm0', now: start })
    for (let i = 1; i < 15; i++) {
      const next = decode(core.Pod, { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, [`l${i}`]: 'x' } } })
      object = updateManagedFields(core.Pod, object, next, { manager: `m${i}`, now: start + i * 1000 })
    }
    const names = object.metadata.managedFields?.map((e) => e.manager)
    expect(names).toEqual(['ancient-changes', 'm6', 'm7', 'm8', 'm9', 'm10', 'm11', 'm12', 'm13', 'm14'])
    expect(JSON.stringify(owners(object)['ancient-changes Update'])).toContain('f:l5')
  })
})

describe('applyConfiguration', () => {
  it('creates an object, and owns what was stated, not what was filled in', () => {
    const out = apply(undefined, deployment({ replicas: 2, ...template({ name: 'c', image: 'i' }) }, { labels: { app: 'web' } }), 'me')
    expect(out).toMatchObject({ ...head, metadata: { name: 'web' }, spec: { replicas: 2 } })
    expect(owners(out)).toEqual({ 'me Apply': {
      'f:metadata': { 'f:labels': { 'f:app': {} } },
      'f:spec': { 'f:replicas': {}, 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {} } } } } },
    } })
  })
  it('merges lists by their keys and leaves alone what others own', () => {
    const a = apply(undefined, deployment(template({ name: 'c', image: 'i' })), 'a')
    const b = apply(a, deployment(template({ name: 'sidecar', image: 's' })), 'b')
    expect(containers(b).map((c) => c.name)).toEqual(['c', 'sidecar'])
    const again = apply(b, deployment({ ...template({ name: 'sidecar', image: 's', env: [{ name: 'X', value: '1' }] }), replicas: 3 }), 'b')
    expect([containers(again)[1]?.env?.[0]?.value, again.spec.replicas, containers(again)[0]?.image]).toEqual(['1', 3, 'i'])
  })
  it('removes what its manager no longer states, unless another one owns it too', () => {
    const a = apply(undefined, deployment({ replicas: 1, paused: true, ...template({ name: 'c', image: 'i' }, { name: 'd', image: 'i' }) }, { labels: { x: '1', y: '2' } }), 'a')
    const b = apply(a, deployment({ replicas: 1 }, { labels: { y: '2' } }), 'b')
    const out = apply(b, deployment(template({ name: 'c', image: 'i' })), 'a')
    expect(out.metadata.labels).toEqual({ y: '2' })
    expect([out.spec.paused, out.spec.replicas, containers(out).map((c) => c.name)]).toEqual([undefined, 1, ['c']])
    expect(owners(out)['b Apply']).toEqual({ 'f:metadata': { 'f:labels': { 'f:y': {} } }, 'f:spec': { 'f:replicas': {} } })
  })
  it('refuses to take a field from its owner, in the words of Kubernetes', () => {
    const a = apply(undefined, deployment({ replicas: 1, ...template({ name: 'c', image: 'i' }) }), 'a')
    expect(() => apply(a, deployment({ replicas: 2 }), 'b')).toThrow(expect.objectContaining({ message: 'Apply failed with 1 conflict: conflict with "a": .spec.replicas' }))
    const scaled = updateManagedFields(apps.Deployment, a, decode(apps.Deployment, { ...a, spec: { ...a.spec, replicas: 5 } }), { manager: 'kubectl-edit', now: start })
    try {
      apply(scaled, deployment({ replicas: 2, ...template({ name: 'c', image: 'j' }) }), 'b')
      expect.unreachable()
    } catch (error) {
      if (!isApiError(error)) throw error
      expect(error.code).toBe(409)
      expect(error.message).toBe('Apply failed with 2 conflicts: conflicts with "a":\n- .spec.template.spec.containers[name="c"].image\nconflicts with "kubectl-edit" using apps/v1:\n- .spec.replicas')
      expect(error.status.details?.causes).toContainEqual({ reason: 'FieldManagerConflict', message: 'conflict with "kubectl-edit" using apps/v1', field: '.spec.replicas' })
    }
  })
  it('takes it when forced, and shares it when both want the same', () => {
    const a = apply(undefined, deployment({ replicas: 1 }), 'a')
    const forced = apply(a, deployment({ replicas: 2 }), 'b', { force: true })
    expect([forced.spec.replicas, owners(forced)]).toEqual([2, { 'b Apply': { 'f:spec': { 'f:replicas': {} } } }])
    const shared = apply(a, deployment({ replicas: 1 }), 'b')
    expect(Object.keys(owners(shared)).toSorted()).toEqual(['a Apply', 'b Apply'])
  })
  it('changes nothing when the same is applied again', () => {
    const a = apply(undefined, deployment({ replicas: 1, ...template({ name: 'c', image: 'i', resources: { limits: { memory: '1024Mi' } } }) }), 'a')
    expect(apply(a, deployment({ replicas: 1, ...template({ name: 'c', image: 'i', resources: { limits: { memory: '1Gi' } } }) }), 'a', { now: start + 5000 })).toEqual(a)
  })
  it('treats what was never tracked as owned by somebody', () => {
    const live = decode(apps.Deployment, deployment({ replicas: 1 }))
    expect(() => apply(live, deployment({ replicas: 2 }), 'a')).toThrow('conflict with "before-first-apply" using apps/v1: .spec.replicas')
  })
  it('lets kubectl take over what it applied from the client before', () => {
    const config = deployment({ replicas: 1, ...template({ name: 'c', image: 'i' }) })
    const live = decode(apps.Deployment, { ...config, metadata: { ...config.metadata, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(config) } } })
    const tracked = updateManagedFields(apps.Deployment, undefined, live, { manager: 'kubectl-client-side-apply', now: start })
    expect(apply(tracked, deployment({ replicas: 4, ...template({ name: 'c', image: 'j' }) }), 'kubectl').spec.replicas).toBe(4)
    expect(() => apply(tracked, deployment({ replicas: 4 }), 'other')).toThrow(/Apply failed/)
    expect(() => apply(tracked, deployment({ replicas: 4, minReadySeconds: 3 }, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'x' } }), 'kubectl')).toThrow(/annotations/)
  })
  it('owns an atomic list or struct whole', () => {
    const a = apply(undefined, deployment({ selector: { matchLabels: { a: 'b' } }, template: { spec: { containers: [], tolerations: [{ key: 'x' }] } } }), 'a')
    expect(owners(a)['a Apply']).toEqual({ 'f:spec': { 'f:selector': {}, 'f:template': { 'f:spec': { 'f:tolerations': {} } } } })
    expect(() => apply(a, deployment({ template: { spec: { tolerations: [{ key: 'y' }] } } }), 'b')).toThrow(/tolerations/)
  })
  it('uses the default of a key that was left out', () => {
    const service = (ports: object[]) => ({ kind: 'Service', apiVersion: 'v1', metadata: { name: 's' }, spec: { ports } })
    const out = applyConfiguration(core.Service, undefined, service([{ port: 80, name: 'http' }]), { manager: 'a', now: start })
    expect(Object.keys((owners(out)['a Apply'] as Record<string, Record<string, object>>)['f:spec']?.['f:ports'] ?? {})).toEqual(['k:{"port":80,"protocol":"TCP"}'])
    const merged = applyConfiguration(core.Service, out, service([{ port: 80, protocol: 'TCP', nodePort: 30000 }]), { manager: 'b', now: start })
    expect(merged.spec.ports).toMatchObject([{ name: 'http', port: 80, nodePort: 30000 }])
  })
  it('merges sets', () => {
    const a = apply(undefined, deployment({}, { finalizers: ['x/a', 'x/b'] }), 'a')
    const b = apply(a, deployment({}, { finalizers: ['x/c'] }), 'b')
    expect(b.metadata.finalizers).toEqual(['x/a', 'x/b', 'x/c'])
    expect(apply(b, deployment({}, { finalizers: ['x/b'] }), 'a').metadata.finalizers).toEqual(['x/b', 'x/c'])
  })
  it('puts elements in the order of the configuration, around those it does not name', () => {
    const names = (list: string[]) => deployment(template(...list.map((name) => ({ name, image: name }))))
    const a = apply(undefined, names(['a', 'b', 'c']), 'x')
    const b = apply(a, names(['z', 'c', 'a']), 'y')
    expect(containers(b).map((c) => c.name)).toEqual(['b', 'z', 'c', 'a'])
  })
  it('takes a configuration at its word: a false that no object keeps, a null, a quantity in other words', () => {
    const first = apply(undefined, deployment({ paused: false, minReadySeconds: null }), 'a')
    expect(owners(first)['a Apply']).toEqual({ 'f:spec': { 'f:minReadySeconds': {}, 'f:paused': {} } })
    expect(() => apply(first, deployment({ paused: false }), 'b')).toThrow('conflict with "a": .spec.paused')
    const cpu = (text: string) => deployment(template({ name: 'c', resources: { limits: { cpu: text } } }))
    const limited = apply(undefined, cpu('1000m'), 'a')
    expect(() => apply(limited, cpu('1000m'), 'b')).toThrow('conflict with "a": .spec.template.spec.containers[name="c"].resources.limits.cpu')
    expect(apply(limited, cpu('1'), 'b').metadata.managedFields).toHaveLength(2)
    expect(apply(limited, cpu('1000m'), 'a')).toEqual(limited)
  })
  it('leaves the elements of others where null is stated for their list', () => {
    const live = apply(undefined, deployment({}, { finalizers: ['x/1'] }), 'a')
    expect(apply(live, deployment({}, { finalizers: null }), 'b').metadata.finalizers).toEqual(['x/1'])
  })
  it('owns the fields of a claim that a volume is bound to one by one', () => {
    const config = { kind: 'PersistentVolume', apiVersion: 'v1', metadata: { name: 'v' }, spec: { claimRef: { name: 'c' } } }
    expect(owners(applyConfiguration(core.PersistentVolume, undefined, config, { manager: 'a', now: start }))['a Apply']).toEqual({ 'f:spec': { 'f:claimRef': { 'f:name': {} } } })
  })
  it('does not own what the endpoint does not write', () => {
    const out = apply(undefined, { ...deployment({ replicas: 1 }), status: { replicas: 3 } }, 'a', { ignore: [['status']] })
    expect(owners(out)['a Apply']).toEqual({ 'f:spec': { 'f:replicas': {} } })
  })
  it('refuses configurations that do not fit', () => {
    const bad = (config: unknown) => { try { apply(undefined, config, 'a') } catch (error) { return isApiError(error) ? `${error.code} ${error.message}` : String(error) } }
    expect(bad(deployment({ foo: 1 }))).toBe('400 failed to create typed patch object (n/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema')
    expect(bad(deployment(template({ name: 'c' }, { name: 'c' })))).toContain('.spec.template.spec.containers: duplicate entries for key [name="c"]')
    expect(bad(deployment({}, { managedFields: [{ manager: 'x', operation: 'Apply' }] }))).toBe('400 metadata.managedFields must be nil')
    expect(bad(deployment({ replicas: 'x' }))).toBe('400 failed to create typed patch object (n/web; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string')
    expect(bad(null)).toContain('400')
  })
})

describe('a schema that is no built-in', () => {
  const Item = struct('Item', { id: zero(0, string), value: opt(0, int32) })
  const Widget = root('Widget', { metadata: fill(0, meta.ObjectMeta), spec: fill(0, struct('WidgetSpec', { items: zero(0, mapList(Item, ['id'])), tags: zero(0, map(string)) })) })
  it('is applied in the same way', () => {
    const widget = (spec: object) => ({ kind: 'Widget', apiVersion: 'example.com/v1', metadata: { name: 'w' }, spec })
    const a = applyConfiguration(Widget, undefined, widget({ items: [{ id: '1', value: 1 }], tags: { a: 'b' } }), { manager: 'a', now: start })
    const b = applyConfiguration(Widget, a, widget({ items: [{ id: '2', value: 0 }] }), { manager: 'b', now: start })
    expect(b.spec).toEqual({ items: [{ id: '1', value: 1 }, { id: '2', value: 0 }], tags: { a: 'b' } })
    expect(applyConfiguration(Widget, b, widget({}), { manager: 'a', now: start }).spec).toEqual({ items: [{ id: '2', value: 0 }] })
  })
})

describe('any configuration', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const container = fc.record({ name, image: name, args: fc.array(name, { maxLength: 2 }), ports: fc.uniqueArray(fc.record({ containerPort: fc.constantFrom(80, 81), name }), { selector: (p) => p.containerPort }) }, { requiredKeys: ['name', 'image'] })
  const config = fc.record({
    replicas: fc.nat(3), paused: fc.boolean(), selector: fc.constantFrom({}, { matchLabels: { a: 'b' } }),
    template: fc.record({ spec: fc.record({ containers: fc.uniqueArray(container, { selector: (c) => c.name, maxLength: 3 }), nodeSelector: fc.dictionary(name, name) }, { requiredKeys: [] }) }, { requiredKeys: [] }),
  }, { requiredKeys: [] })

  it('applied twice changes nothing the second time; withdrawn, nothing of it is left', () => {
    fc.assert(fc.property(config, (spec) => {
      const once = apply(undefined, deployment(spec), 'a')
      expect(apply(once, deployment(spec), 'a', { now: start + 9000 })).toEqual(once)
      const empty = apply(undefined, deployment(), 'a')
      expect(apply(once, deployment(), 'a').spec).toEqual(empty.spec)
    }))
  })
  it('of two managers: forced, the second one gets all it wants, and the first keeps what does not collide', () => {
    fc.assert(fc.property(config, config, (one, two) => {
      const a = apply(undefined, deployment(one), 'a')
      const b = apply(a, deployment(two), 'b', { force: true })
      expect(apply(b, deployment(two), 'b')).toEqual(b)
      const c = decode(apps.Deployment, b)
      expect(updateManagedFields(apps.Deployment, c, c, { manager: 'x', now: start })).toBe(c)
    }))
  })
})
