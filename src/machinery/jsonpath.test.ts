import { describe, expect, it } from 'vitest'
import { compileJsonPath } from './jsonpath.ts'

const object = {
  metadata: { name: 'a', annotations: { 'example.com/size': 'L', plain: 'x' } },
  spec: { replicas: 0, ports: [{ name: 'http', port: 80 }, { name: 'admin', port: 9000 }, { name: 'debug' }] },
  status: { conditions: [{ type: 'Ready', status: 'True' }, { type: 'Idle', status: 'False' }] },
}
const find = (path: string) => compileJsonPath(path)(object)

describe('a JSON path', () => {
  const cases: readonly [string, readonly unknown[]][] = [
    ['.metadata.name', ['a']],
    ['{.metadata.name}', ['a']],
    ['$.metadata.name', ['a']],
    ['.spec.replicas', [0]],
    ['.spec.missing.deeper', []],
    // As in Kubernetes: a name in quotes is a path as well.
    [".metadata.annotations['example.com/size']", []],
    [".metadata.annotations['example\\.com/size']", ['L']],
    [".metadata['annotations.plain']", ['x']],
    ['.metadata.annotations.example\\.com/size', ['L']],
    ['.spec.ports[0].port', [80]],
    ['.spec.ports[-1].name', ['debug']],
    ['.spec.ports[7].name', []],
    ['.spec.ports[*].port', [80, 9000]],
    ['.spec.ports[0:2].name', ['http', 'admin']],
    ['.spec.ports[::2].name', ['http', 'debug']],
    ['.spec.ports[0,2].name', ['http', 'debug']],
    ['.metadata.annotations.*', ['L', 'x']],
    ['..port', [80, 9000]],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ['.status.conditions[?(@.type == \'Idle\')].status', ['False']],
    ['.spec.ports[?(@.port)].name', ['http', 'admin']],
    ['.spec.ports[?(@.port > 100)].name', ['admin']],
    ['.spec.ports[?(@.name != "http")].name', ['admin', 'debug']],
    ['.status.conditions[?(@.type=="a]b")].status', []],
  ]
  for (const [path, values] of cases) it(`${path} leads to ${JSON.stringify(values)}`, () => expect(find(path)).toEqual(values))

  it('is the whole document when it is a dot', () => expect(find('.')).toEqual([object]))

  for (const path of ['', 'spec', '.spec.', '.spec.ports[', '.spec.ports[x]', '.a[?(name)]', '.a[::0]']) {
    it(`${JSON.stringify(path)} is none`, () => expect(() => compileJsonPath(path)).toThrow(Error))
  }
})
