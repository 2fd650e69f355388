import { expect, it } from 'vitest'
import { declared } from '../../api/index.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import { ask } from '../testing/ask.ts'
import { createMetrics } from './metrics.ts'

const info = (method: string, path: string) => {
  const url = new URL(path, 'http://test')
  return parseRequestInfo(method, url.pathname, url.searchParams)
}
const text = async ({ handler }: ReturnType<typeof createMetrics>) => (await ask(handler, '/metrics')).text

it('counts requests by what they were about and how they ended', async () => {
  const metrics = createMetrics(() => declared)
  const pods = info('GET', '/api/v1/namespaces/x/pods')
  for (const code of [200, 200, 403]) {
    metrics.observer.started(pods)
    metrics.observer.finished({ info: pods, verb: 'LIST', code, seconds: 0.004, bytes: 100 })
  }
  const page = await text(metrics)
  expect(page).toContain('apiserver_request_total{verb="LIST",group="",version="v1",resource="pods",subresource="",scope="namespace",dry_run="",component="apiserver",code="200"} 2')
  expect(page).toContain('code="403"} 1')
  expect(page).toMatch(/apiserver_request_duration_seconds_bucket\{le="0\.005",verb="LIST".*\} 3/)
  expect(page).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 0')
  expect(page).toContain('process_cpu_seconds_total')
})

it('keeps watches apart from requests that should be quick', async () => {
  const metrics = createMetrics(() => declared)
  const watch = info('GET', '/api/v1/pods?watch=true')
  metrics.observer.started(watch)
  expect(await text(metrics)).toMatch(/apiserver_longrunning_requests\{verb="WATCH",.*resource="pods".*\} 1/)
  metrics.observer.finished({ info: watch, verb: 'WATCH', code: 200, seconds: 300, bytes: 0 })
  const page = await text(metrics)
  expect(page).toMatch(/apiserver_longrunning_requests\{verb="WATCH".*\} 0/)
  expect(page).not.toMatch(/apiserver_request_duration_seconds_count\{verb="WATCH"/)
})

it('makes no series out of paths that clients invent', async () => {
  const metrics = createMetrics(() => declared)
  for (const path of ['/nothing/1', '/nothing/2', '/api/v1/nothings', '/apis/nothing/v1/pods', '/api/v1/namespaces/x/pods/y/nothing']) metrics.observer.finished({ info: info('GET', path), verb: 'GET', code: 404, seconds: 0.001, bytes: 1 })
  expect(await text(metrics)).toContain('apiserver_request_total{verb="GET",group="",version="",resource="",subresource="",scope="",dry_run="",component="apiserver",code="404"} 5')
})

it('cumulates what fell into each bucket', async () => {
  const metrics = createMetrics(() => declared)
  const pod = info('GET', '/api/v1/namespaces/x/pods/y')
  for (const [seconds, bytes] of [[0.005, 1000], [0.0051, 1001], [61, 2e9]] as const) metrics.observer.finished({ info: pod, verb: 'GET', code: 200, seconds, bytes })
  const page = await text(metrics)
  const value = (pattern: string) => Number(new RegExp(`^apiserver_${pattern}.* ([\\d.e+]+)$`, 'm').exec(page)?.[1])
  expect([value('request_duration_seconds_bucket.le="0.005"'), value('request_duration_seconds_bucket.le="0.025"'), value('request_duration_seconds_bucket.le="60"'), value('request_duration_seconds_bucket.le="\\+Inf"')])
    .toEqual([1, 2, 2, 3])
  expect([value('response_sizes_bucket.le="1000"'), value('response_sizes_bucket.le="10000"'), value('response_sizes_bucket.le="1000000000"')]).toEqual([1, 2, 2])
  expect([value('request_duration_seconds_count'), value('request_duration_seconds_sum'), value('response_sizes_sum')]).toEqual([3, 61.0101, 2000002001])
})

it('tells what is only tried from what is done, and the server\'s own time from that of webhooks and queues', async () => {
  const metrics = createMetrics(() => declared)
  const pod = info('POST', '/api/v1/namespaces/x/pods')
  metrics.observer.finished({ info: pod, verb: 'POST', code: 201, seconds: 2, spared: 1.95, dryRun: true, bytes: 1 })
  metrics.observer.finished({ info: pod, verb: 'POST', code: 201, seconds: 0.01, bytes: 1 })
  const page = await text(metrics)
  expect(page).toMatch(/apiserver_request_total\{verb="POST",.*dry_run="All",.*\} 1/)
  expect(page).toMatch(/apiserver_request_duration_seconds_count\{verb="POST",.*dry_run="",.*\} 1/)
  expect(page).toMatch(/apiserver_request_sli_duration_seconds_bucket\{le="0\.1",verb="POST",.*\} 1/)
  expect(page).not.toMatch(/apiserver_request_sli_duration_seconds_bucket\{[^}]*dry_run/)
})
