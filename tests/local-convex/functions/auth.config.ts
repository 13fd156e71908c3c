import type { AuthConfig } from "convex/server";

const { TEST_JWT_ISSUER, TEST_JWT_JWKS, TEST_OIDC_DOMAIN } = process.env;

export default {
  providers: [
    ...(TEST_JWT_ISSUER !== undefined && TEST_JWT_JWKS !== undefined
      ? [{ type: "customJwt" as const, issuer: TEST_JWT_ISSUER, applicationID: "tests", algorithm: "ES256" as const, jwks: TEST_JWT_JWKS }]
      : []),
    ...(TEST_OIDC_DOMAIN !== undefined ? [{ domain: TEST_OIDC_DOMAIN, applicationID: "tests" }] : []),
  ],
} satisfies AuthConfig;
