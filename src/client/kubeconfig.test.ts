import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inClusterConfig, loadKubeconfig, parseKubeconfig } from './kubeconfig.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
/** As much of PEM as a kubeconfig is looked at for. */
const pem = (text: string) => `-----BEGIN ${text}-----`
const config = `
apiVersion: v1
kind: Config
current-context: one
contexts:
- { name: one, context: { cluster: c, user: admin, namespace: shop } }
- { name: two, context: { cluster: c, user: robot } }
- { name: three, context: { cluster: c, user: cloud } }
- { name: four, context: { cluster: missing, user: cloud } }
clusters:
- { name: c, cluster: { server: "https://10.0.0.1:6443", certificate-authority-data: ${base64(pem('CA'))}, tls-server-name: kubernetes } }
users:
- { name: admin, user: { client-certificate-data: ${base64(pem('CERT'))}, client-key: key.pem } }
- { name: robot, user: { tokenFile: token } }
- { name: cloud, user: { exec: { command: x } } }
`
let dir: string
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'skiff-kubeconfig-')) })
afterEach(() => rmSync(dir, { recursive: true }))

describe('a kubeconfig', () => {
  it('gives server, authority and credentials, with files beside it', async () => {
    writeFileSync(join(dir, 'config'), config)
    writeFileSync(join(dir, 'key.pem'), pem('KEY'))
    writeFileSync(join(dir, 'token'), 'abc\n')
    expect(await loadKubeconfig({ path: join(dir, 'config') })).toMatchObject({ server: 'https://10.0.0.1:6443', ca: pem('CA'), cert: pem('CERT'), key: pem('KEY'), namespace: 'shop', servername: 'kubernetes', insecure: false })
    expect(await loadKubeconfig({ path: join(dir, 'config'), context: 'two' })).toMatchObject({ token: 'abc', namespace: 'default' })
  })

  it('that cannot be used says why', async () => {
    await expect(parseKubeconfig(config, { context: 'nine' })).rejects.toThrow('context "nine" does not exist')
    await expect(parseKubeconfig(config, { context: 'three' })).rejects.toThrow('credential plugin, which is not supported')
    await expect(parseKubeconfig(config, { context: 'four' })).rejects.toThrow('cluster "missing" does not exist')
    await expect(parseKubeconfig('clusters: []')).rejects.toThrow('no current-context')
    await expect(parseKubeconfig(config.replace('tokenFile: token', 'token: {a: b}'), { context: 'two' })).rejects.toThrow('token of the user of context "two" must be a text')
    await expect(parseKubeconfig(config.replace(base64(pem('CERT')), base64('CERT')))).rejects.toThrow('client-certificate holds no PEM data')
  })

  it('that is no YAML says so in one line, which quotes nothing of it', async () => {
    const message = await parseKubeconfig('users: [{name: u, user: {token: hush-hush\n').then(() => '', (error: Error) => `${error.message} ${error.stack}`)
    expect(message).toMatch(/^kubeconfig: .* at line 2, column 1 /)
    expect(message).not.toContain('hush-hush')
  })
})

describe('in a pod', () => {
  it('the service account says who and where, and its token is read anew', async () => {
    for (const [name, text] of [['ca.crt', 'CA'], ['token', 't1\n'], ['namespace', 'shop']] as const) writeFileSync(join(dir, name), text)
    process.env.KUBERNETES_SERVICE_HOST = 'fd00::1'
    process.env.KUBERNETES_SERVICE_PORT = '443'
    const options = await inClusterConfig(dir)
    expect(options).toMatchObject({ server: 'https://[fd00::1]:443', ca: 'CA', namespace: 'shop' })
    const token = options.token as () => Promise<string>
    expect(await token()).toBe('t1')
    writeFileSync(join(dir, 'token'), 't2')
    expect(await token()).toBe('t2')
    delete process.env.KUBERNETES_SERVICE_HOST
    await expect(inClusterConfig(dir)).rejects.toThrow('not in a cluster')
  })
})
