import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkCertificateRequest, checkCertificates } from './pkcs10.ts'

let directory: string
beforeAll(() => { directory = mkdtempSync(join(tmpdir(), 'pkcs10-')) })
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
const request = (...key: string[]) => openssl('req', '-new', '-nodes', '-newkey', ...key, '-keyout', 'key.pem', '-subj', '/CN=ana/O=dev', '-addext', 'subjectAltName=DNS:a.example.com')
const armored = (type: string, der: Buffer, head = '') => `-----BEGIN ${type}-----\n${head}${der.toString('base64')}\n-----END ${type}-----\n`
const derOf = (pem: string) => Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')

describe('a certificate request', () => {
  it('holds when the key that it names has signed it, whatever the kind of key', () => {
    for (const key of [['rsa:2048'], ['rsa:2048', '-sha512'], ['rsa:2048', '-sigopt', 'rsa_padding_mode:pss'], ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'], ['ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1', '-sha384'], ['ed25519']]) {
      expect(() => checkCertificateRequest(request(...key)), key.join(' ')).not.toThrow()
    }
    expect(() => checkCertificateRequest(`a word before\n${request('ed25519')}and after`)).not.toThrow()
  })

  it('does not hold when it is none, or was changed', () => {
    const ec = derOf(request('ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'))
    const changed = Buffer.from(ec)
    changed[ec.indexOf('ana')] = 'e'.charCodeAt(0)
    const rsa = derOf(request('rsa:2048'))
    rsa[rsa.indexOf('ana')] = 'e'.charCodeAt(0)
    const says = (text: string, why: string) => expect(() => checkCertificateRequest(text)).toThrow(why)
    says('', 'PEM block type must be CERTIFICATE REQUEST')
    says(armored('CERTIFICATE', ec), 'PEM block type must be CERTIFICATE REQUEST')
    says(armored('CERTIFICATE REQUEST', changed), 'x509: ECDSA verification failure')
    says(armored('CERTIFICATE REQUEST', rsa), 'crypto/rsa: verification error')
    says(armored('CERTIFICATE REQUEST', Buffer.from('hello')), 'asn1: ')
    says(armored('CERTIFICATE REQUEST', ec.subarray(0, 50)), 'asn1: syntax error: data truncated')
    says(armored('CERTIFICATE REQUEST', Buffer.concat([ec, Buffer.from([1])])), 'asn1: syntax error: trailing data')
    for (let at = 0; at < ec.length; at += 3) {
      const broken = Buffer.from(ec)
      broken[at] = broken[at]! ^ 0x41
      expect(() => checkCertificateRequest(armored('CERTIFICATE REQUEST', broken)), `byte ${at}`).toThrow(/./)
    }
  })
})

it('certificates are certificates, without headers, and at least one', () => {
  const certificate = openssl('req', '-x509', '-nodes', '-newkey', 'ed25519', '-keyout', 'key.pem', '-subj', '/CN=ana', '-days', '2')
  const says = (text: string, why: string) => expect(() => checkCertificates(text)).toThrow(why)
  expect(() => checkCertificates(`words\n${certificate}${certificate}`)).not.toThrow()
  says('words', 'must contain at least one CERTIFICATE PEM block')
  says(`${certificate}${armored('PRIVATE KEY', Buffer.from('abc'))}`, 'only CERTIFICATE PEM blocks are allowed, found "PRIVATE KEY"')
  says(armored('CERTIFICATE', derOf(certificate), 'A: b\n\n'), 'no PEM block headers are permitted')
  says(armored('CERTIFICATE', Buffer.from('abc')), 'x509: malformed certificate')
})
