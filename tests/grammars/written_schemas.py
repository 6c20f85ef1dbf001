"""Schemas as people write them, with instances: configuration files, resources, events, function calls, old drafts.

Each entry: a name, the schema, and instances that it admits.
"""

from typing import Any

_D4 = "http://json-schema.org/draft-04/schema#"
_D6 = "http://json-schema.org/draft-06/schema#"
_D7 = "http://json-schema.org/draft-07/schema#"
_D19 = "https://json-schema.org/draft/2019-09/schema"
_D20 = "https://json-schema.org/draft/2020-12/schema"

Entry = tuple[str, Any, list[Any]]

CONFIGURATIONS: list[Entry] = [
    (
        "workflow",
        {
            "$schema": _D7,
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "on": {
                    "oneOf": [
                        {"$ref": "#/definitions/event"},
                        {"type": "array", "items": {"$ref": "#/definitions/event"}, "minItems": 1},
                        {
                            "type": "object",
                            "properties": {
                                "push": {"$ref": "#/definitions/ref"},
                                "pull_request": {"$ref": "#/definitions/ref"},
                                "schedule": {
                                    "type": "array",
                                    "items": {
                                        "properties": {"cron": {"type": "string"}},
                                        "additionalProperties": False,
                                    },
                                },
                            },
                            "additionalProperties": False,
                        },
                    ]
                },
                "env": {"$ref": "#/definitions/env"},
                "jobs": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": False,
                    "patternProperties": {
                        "^[_a-zA-Z][a-zA-Z0-9_-]*$": {
                            "type": "object",
                            "required": ["runs-on"],
                            "properties": {
                                "runs-on": {
                                    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
                                },
                                "needs": {
                                    "oneOf": [
                                        {"type": "array", "items": {"$ref": "#/definitions/name"}, "minItems": 1},
                                        {"$ref": "#/definitions/name"},
                                    ]
                                },
                                "timeout-minutes": {"type": "number", "default": 360},
                                "steps": {
                                    "type": "array",
                                    "items": {
                                        "allOf": [
                                            {
                                                "oneOf": [
                                                    {"type": "object", "required": ["uses"]},
                                                    {"type": "object", "required": ["run"]},
                                                ]
                                            },
                                            {
                                                "properties": {
                                                    "id": {"type": "string"},
                                                    "uses": {"type": "string"},
                                                    "run": {"type": "string"},
                                                    "with": {"$ref": "#/definitions/env"},
                                                    "continue-on-error": {"type": "boolean"},
                                                },
                                                "dependencies": {"with": ["uses"]},
                                                "additionalProperties": False,
                                            },
                                        ]
                                    },
                                },
                            },
                            "additionalProperties": False,
                        }
                    },
                },
            },
            "required": ["on", "jobs"],
            "additionalProperties": False,
            "definitions": {
                "event": {"type": "string", "enum": ["push", "pull_request", "workflow_dispatch", "release"]},
                "name": {"type": "string", "pattern": "^[_a-zA-Z][a-zA-Z0-9_-]*$"},
                "env": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
                "ref": {
                    "type": ["object", "null"],
                    "properties": {"branches": {"type": "array"}, "branches-ignore": {"type": "array"}},
                    "allOf": [{"not": {"required": ["branches", "branches-ignore"]}}],
                },
            },
        },
        [
            {
                "name": "CI",
                "on": {"push": {"branches": ["main"]}, "pull_request": {}},
                "jobs": {
                    "test": {
                        "runs-on": "ubuntu-latest",
                        "timeout-minutes": 10.5,
                        "steps": [{"uses": "actions/checkout@v4", "with": {"depth": 1}}, {"run": "make", "id": "m"}],
                    }
                },
            },
            {"on": ["push", "release"], "jobs": {"a": {"runs-on": ["x"], "needs": "b"}, "b": {"runs-on": "y"}}},
        ],
    ),
    (
        "package manifest",
        {
            "$schema": _D7,
            "type": "object",
            "required": ["name", "version"],
            "properties": {
                "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 214,
                    "pattern": "^(?:@[a-z0-9-~][a-z0-9-._~]*/)?[a-z0-9-~][a-z0-9-._~]*$",
                },
                "version": {"type": "string", "pattern": "^\\d+\\.\\d+\\.\\d+(?:-[0-9A-Za-z.-]+)?$"},
                "keywords": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
                "homepage": {"oneOf": [{"type": "string", "format": "uri"}, {"enum": ["."]}]},
                "bugs": {
                    "type": ["object", "string"],
                    "properties": {"url": {"format": "uri"}, "email": {"format": "email"}},
                },
                "author": {"$ref": "#/definitions/person"},
                "contributors": {"type": "array", "items": {"$ref": "#/definitions/person"}},
                "bin": {"type": ["string", "object"], "additionalProperties": {"type": "string"}},
                "dependencies": {"$ref": "#/definitions/dependency"},
                "private": {"anyOf": [{"type": "boolean"}, {"enum": ["false", "true"]}]},
            },
            "patternProperties": {"^_": {"description": "reserved"}},
            "definitions": {
                "person": {
                    "type": ["object", "string"],
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "url": {"type": "string", "format": "uri"},
                        "email": {"type": "string", "format": "email"},
                    },
                },
                "dependency": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        [
            {
                "name": "@scope/pkg",
                "version": "1.2.3-rc.1",
                "keywords": ["a", "b"],
                "homepage": "https://x.org/a",
                "author": "me",
            },
            {
                "version": "0.0.1",
                "name": "left-pad",
                "bugs": {"url": "http://b.example", "email": "a@b.example"},
                "bin": {"x": "y"},
                "dependencies": {"a": "^1"},
                "private": True,
                "_id": 3,
                "extra": {"k": [1]},
            },
        ],
    ),
    (
        "linter options",
        {
            "$schema": _D4,
            "type": "object",
            "properties": {
                "root": {"type": "boolean"},
                "extends": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                "rules": {"type": "object", "additionalProperties": {"$ref": "#/definitions/rule"}},
                "overrides": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["files"],
                        "properties": {
                            "files": {
                                "oneOf": [
                                    {"type": "string"},
                                    {"type": "array", "minItems": 1, "items": {"type": "string"}},
                                ]
                            },
                            "rules": {"$ref": "#/properties/rules"},
                        },
                        "additionalProperties": False,
                    },
                },
            },
            "definitions": {
                "rule": {
                    "oneOf": [
                        {"type": "integer", "minimum": 0, "maximum": 2},
                        {"type": "string", "enum": ["off", "warn", "error"]},
                        {
                            "type": "array",
                            "items": [
                                {
                                    "oneOf": [
                                        {"type": "integer", "minimum": 0, "maximum": 2},
                                        {"type": "string", "enum": ["off", "warn", "error"]},
                                    ]
                                }
                            ],
                            "additionalItems": True,
                        },
                    ]
                }
            },
        },
        [
            {
                "root": True,
                "extends": ["a", "b"],
                "rules": {"semi": ["error", "always", {"x": 1}], "quotes": 2, "eq": "off"},
            },
            {"overrides": [{"files": "*.ts", "rules": {"a": 0}}, {"files": ["x"]}]},
        ],
    ),
    (
        "compiler options",
        {
            "$schema": _D7,
            "allOf": [
                {"$ref": "#/definitions/base"},
                {"anyOf": [{"$ref": "#/definitions/files"}, {"$ref": "#/definitions/include"}]},
            ],
            "type": "object",
            "definitions": {
                "base": {
                    "properties": {
                        "compilerOptions": {
                            "type": "object",
                            "properties": {
                                "target": {
                                    "anyOf": [
                                        {"enum": ["ES3", "ES5", "ESNext"]},
                                        {"pattern": "^([eE][sS]([356]|(20(1[56789]|2[0-2]))|[nN][eE][xX][tT]))$"},
                                    ],
                                    "type": "string",
                                },
                                "lib": {
                                    "type": "array",
                                    "uniqueItems": True,
                                    "items": {"type": "string", "enum": ["DOM", "ES5", "ES6", "ScriptHost"]},
                                },
                                "paths": {
                                    "type": "object",
                                    "additionalProperties": {
                                        "type": ["array", "null"],
                                        "uniqueItems": True,
                                        "items": {"type": ["string", "null"]},
                                    },
                                },
                                "strict": {"type": ["boolean", "null"]},
                            },
                        }
                    }
                },
                "files": {
                    "properties": {"files": {"type": "array", "uniqueItems": True, "items": {"type": "string"}}},
                    "required": ["files"],
                },
                "include": {
                    "properties": {"include": {"type": "array", "items": {"type": "string"}}},
                    "required": ["include"],
                },
            },
        },
        [
            {
                "compilerOptions": {
                    "target": "es2019",
                    "lib": ["DOM", "ES6"],
                    "strict": None,
                    "paths": {"@/*": ["src/*"]},
                },
                "files": ["a.ts"],
            },
            {"include": ["src"], "compilerOptions": {"target": "ES3"}, "other": 1},
        ],
    ),
    (
        "compose file",
        {
            "$schema": _D7,
            "id": "compose_v3.json",
            "type": "object",
            "required": ["version"],
            "properties": {
                "version": {"type": "string"},
                "services": {
                    "id": "#/properties/services",
                    "type": "object",
                    "patternProperties": {"^[a-zA-Z0-9._-]+$": {"$ref": "#/definitions/service"}},
                    "additionalProperties": False,
                },
            },
            "patternProperties": {"^x-": {}},
            "additionalProperties": False,
            "definitions": {
                "service": {
                    "id": "#/definitions/service",
                    "type": "object",
                    "properties": {
                        "image": {"type": "string"},
                        "build": {
                            "oneOf": [
                                {"type": "string"},
                                {
                                    "type": "object",
                                    "properties": {
                                        "context": {"type": "string"},
                                        "args": {"$ref": "#/definitions/list_or_dict"},
                                    },
                                    "additionalProperties": False,
                                },
                            ]
                        },
                        "environment": {"$ref": "#/definitions/list_or_dict"},
                        "ports": {
                            "type": "array",
                            "items": {"type": ["string", "number"], "format": "ports"},
                            "uniqueItems": True,
                        },
                        "restart": {"type": "string"},
                        "healthcheck": {
                            "type": "object",
                            "properties": {
                                "retries": {"type": "number"},
                                "interval": {"type": "string", "format": "duration"},
                            },
                        },
                    },
                    "additionalProperties": False,
                },
                "list_or_dict": {
                    "oneOf": [
                        {
                            "type": "object",
                            "patternProperties": {".+": {"type": ["string", "number", "null"]}},
                            "additionalProperties": False,
                        },
                        {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
                    ]
                },
            },
        },
        [
            {
                "version": "3.8",
                "services": {
                    "web": {"image": "nginx", "ports": ["80:80", 443], "environment": {"A": "b", "N": 1, "E": None}}
                },
                "x-note": [1],
            },
            {
                "version": "3",
                "services": {"db": {"build": {"context": ".", "args": ["A=1", "B=2"]}, "restart": "always"}},
            },
        ],
    ),
    (
        "editor settings",
        {
            "type": "object",
            "properties": {
                "editor.fontSize": {"type": "integer", "minimum": 6, "maximum": 100},
                "editor.tabSize": {"type": "number", "multipleOf": 1, "minimum": 1},
                "editor.rulers": {
                    "type": "array",
                    "items": {
                        "anyOf": [
                            {"type": "integer"},
                            {
                                "type": "object",
                                "properties": {
                                    "column": {"type": "integer"},
                                    "color": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"},
                                },
                            },
                        ]
                    },
                },
                "files.exclude": {
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [
                            {"type": "boolean"},
                            {
                                "type": "object",
                                "properties": {"when": {"type": "string", "pattern": "\\w*\\$\\(basename\\)\\w*"}},
                            },
                        ]
                    },
                },
            },
            "additionalProperties": True,
        },
        [
            {
                "editor.fontSize": 12,
                "editor.rulers": [80, {"column": 120, "color": "#aabbcc"}],
                "files.exclude": {"**/*.js": {"when": "$(basename).ts"}, "a": True},
            },
            {"editor.tabSize": 4.0, "x": "y"},
        ],
    ),
    (
        "pipeline with anchors",
        {
            "$schema": _D20,
            "$id": "https://example.com/pipeline",
            "type": "object",
            "properties": {"stages": {"type": "array", "items": {"$ref": "#stage"}, "minItems": 1}},
            "required": ["stages"],
            "unevaluatedProperties": False,
            "$defs": {
                "stage": {
                    "$anchor": "stage",
                    "type": "object",
                    "properties": {"name": {"type": "string", "minLength": 1}, "kind": {"enum": ["shell", "http"]}},
                    "required": ["name", "kind"],
                    "allOf": [
                        {
                            "if": {"properties": {"kind": {"const": "shell"}}},
                            "then": {"properties": {"run": {"type": "string"}}, "required": ["run"]},
                        },
                        {
                            "if": {"properties": {"kind": {"const": "http"}}},
                            "then": {
                                "properties": {
                                    "url": {"type": "string", "format": "uri"},
                                    "retries": {"type": "integer", "minimum": 0, "default": 3},
                                },
                                "required": ["url"],
                            },
                        },
                    ],
                    "unevaluatedProperties": False,
                }
            },
        },
        [
            {
                "stages": [
                    {"name": "a", "kind": "shell", "run": "ls"},
                    {"name": "b", "kind": "http", "url": "http://x.y/z", "retries": 2},
                ]
            },
        ],
    ),
    (
        "hosts and rules",
        {
            "$schema": _D6,
            "type": "object",
            "properties": {
                "hosts": {
                    "type": "array",
                    "items": {
                        "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}, {"format": "hostname"}],
                        "type": "string",
                    },
                    "contains": {"const": "localhost"},
                },
                "port": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 65536},
                "ratio": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                "name": {"propertyNames": {"maxLength": 3}, "type": "object"},
            },
            "required": ["hosts"],
        },
        [
            {"hosts": ["10.0.0.1", "localhost", "::1"], "port": 8080, "ratio": 0.25, "name": {"abc": 1}},
            {"hosts": ["localhost"], "ratio": 1},
        ],
    ),
]

RESOURCES: list[Entry] = [
    (
        "deployment",
        {
            "type": "object",
            "required": ["apiVersion", "kind", "metadata", "spec"],
            "properties": {
                "apiVersion": {"type": "string", "enum": ["apps/v1"]},
                "kind": {"type": "string", "enum": ["Deployment"]},
                "metadata": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
                        "labels": {"type": ["object", "null"], "additionalProperties": {"type": ["string", "null"]}},
                        "creationTimestamp": {"type": ["string", "null"], "format": "date-time"},
                    },
                    "required": ["name"],
                },
                "spec": {
                    "type": "object",
                    "required": ["selector"],
                    "properties": {
                        "replicas": {"type": ["integer", "null"], "format": "int32", "minimum": 0},
                        "selector": {
                            "type": "object",
                            "properties": {
                                "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
                                "matchExpressions": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["key", "operator"],
                                        "properties": {
                                            "key": {"type": "string"},
                                            "operator": {"enum": ["In", "NotIn", "Exists"]},
                                            "values": {"type": "array", "items": {"type": "string"}},
                                        },
                                    },
                                },
                            },
                        },
                        "template": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {
                                        "containers": {
                                            "type": "array",
                                            "minItems": 1,
                                            "items": {"$ref": "#/definitions/container"},
                                        }
                                    },
                                }
                            },
                        },
                    },
                },
            },
            "definitions": {
                "quantity": {
                    "oneOf": [
                        {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$"},
                        {"type": "number"},
                    ]
                },
                "intOrString": {"oneOf": [{"type": "string"}, {"type": "integer"}], "x-kubernetes-int-or-string": True},
                "container": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "image": {"type": "string"},
                        "ports": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["containerPort"],
                                "properties": {
                                    "containerPort": {"type": "integer", "minimum": 1, "maximum": 65535},
                                    "protocol": {"type": "string", "enum": ["TCP", "UDP"], "default": "TCP"},
                                },
                            },
                        },
                        "resources": {
                            "type": "object",
                            "properties": {
                                "limits": {"type": "object", "additionalProperties": {"$ref": "#/definitions/quantity"}}
                            },
                        },
                        "livenessProbe": {
                            "type": "object",
                            "properties": {
                                "httpGet": {
                                    "type": "object",
                                    "required": ["port"],
                                    "properties": {
                                        "port": {"$ref": "#/definitions/intOrString"},
                                        "path": {"type": "string"},
                                    },
                                }
                            },
                        },
                    },
                },
            },
        },
        [
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {
                    "name": "web-1",
                    "labels": {"app": "x", "n": None},
                    "creationTimestamp": "2024-01-02T03:04:05Z",
                },
                "spec": {
                    "replicas": 2,
                    "selector": {"matchLabels": {"app": "x"}},
                    "template": {
                        "spec": {
                            "containers": [
                                {
                                    "name": "c",
                                    "image": "i",
                                    "ports": [{"containerPort": 80}],
                                    "resources": {"limits": {"cpu": "500m", "memory": 1.5}},
                                    "livenessProbe": {"httpGet": {"port": "http"}},
                                }
                            ]
                        }
                    },
                },
            },
        ],
    ),
    (
        "custom resource",
        {
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object",
                    "required": ["size"],
                    "properties": {
                        "size": {
                            "type": "integer",
                            "format": "int32",
                            "minimum": 1,
                            "maximum": 7,
                            "not": {"multipleOf": 2},
                        },
                        "storage": {
                            "type": "object",
                            "oneOf": [{"required": ["ephemeral"]}, {"required": ["volumeClaim"]}],
                            "properties": {
                                "ephemeral": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                "volumeClaim": {"type": "object", "properties": {"gi": {"type": "integer"}}},
                            },
                        },
                        "schedule": {"type": "string", "pattern": "^(\\S+\\s){4}\\S+$", "maxLength": 60},
                        "conditions": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["type", "status"],
                                "properties": {
                                    "type": {
                                        "type": "string",
                                        "maxLength": 316,
                                        "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",  # noqa: E501 - as published
                                    },
                                    "status": {"enum": ["True", "False", "Unknown"]},
                                    "lastTransitionTime": {"format": "date-time", "type": "string"},
                                },
                            },
                            "x-kubernetes-list-type": "map",
                        },
                    },
                },
                "status": {"type": "object", "nullable": True},
            },
        },
        [
            {
                "spec": {
                    "size": 3,
                    "storage": {"ephemeral": {"a": [1]}},
                    "schedule": "0 5 * * 1",
                    "conditions": [
                        {"type": "ex.io/Ready", "status": "True", "lastTransitionTime": "2024-01-02T03:04:05.123+02:00"}
                    ],
                }
            },
            {"spec": {"size": 1, "storage": {"volumeClaim": {"gi": 10}}}, "status": {}},
        ],
    ),
    (
        "network policy",
        {
            "definitions": {
                "port": {
                    "type": "object",
                    "properties": {
                        "port": {"oneOf": [{"type": "integer", "minimum": 0, "maximum": 65535}, {"type": "string"}]},
                        "endPort": {"type": "integer"},
                    },
                    "dependencies": {"endPort": ["port"]},
                },
                "peer": {
                    "type": "object",
                    "properties": {
                        "ipBlock": {
                            "type": "object",
                            "required": ["cidr"],
                            "properties": {
                                "cidr": {
                                    "type": "string",
                                    "pattern": "^(?:[0-9]{1,3}\\.){3}[0-9]{1,3}/(?:[0-9]|[12][0-9]|3[0-2])$",
                                },
                                "except": {"type": "array", "items": {"type": "string"}},
                            },
                        },
                        "podSelector": {"type": "object"},
                    },
                    "maxProperties": 1,
                    "minProperties": 1,
                },
            },
            "type": "object",
            "properties": {
                "ingress": {
                    "type": "array",
                    "items": {
                        "properties": {
                            "from": {"type": "array", "items": {"$ref": "#/definitions/peer"}},
                            "ports": {"type": "array", "items": {"$ref": "#/definitions/port"}},
                        },
                        "additionalProperties": False,
                        "type": "object",
                    },
                }
            },
        },
        [
            {
                "ingress": [
                    {
                        "from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, {"podSelector": {}}],
                        "ports": [{"port": 80, "endPort": 90}, {"port": "http"}],
                    }
                ]
            }
        ],
    ),
    (
        "infrastructure stack",
        {
            "$schema": _D7,
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "Resources": {
                    "type": "object",
                    "patternProperties": {
                        "^[a-zA-Z0-9]{1,255}$": {
                            "anyOf": [
                                {
                                    "type": "object",
                                    "additionalProperties": False,
                                    "required": ["Type"],
                                    "properties": {
                                        "Type": {"const": "AWS::S3::Bucket"},
                                        "Properties": {
                                            "type": "object",
                                            "properties": {
                                                "BucketName": {"type": "string", "minLength": 3, "maxLength": 63}
                                            },
                                            "additionalProperties": False,
                                        },
                                    },
                                },
                                {
                                    "type": "object",
                                    "additionalProperties": False,
                                    "required": ["Type", "Properties"],
                                    "properties": {
                                        "Type": {"enum": ["AWS::SQS::Queue"]},
                                        "Properties": {
                                            "type": "object",
                                            "required": ["Delay"],
                                            "properties": {"Delay": {"type": "integer", "minimum": 0, "maximum": 900}},
                                        },
                                    },
                                },
                            ]
                        }
                    },
                    "additionalProperties": False,
                    "minProperties": 1,
                },
                "Outputs": {"type": "object", "maxProperties": 60, "additionalProperties": {"type": "object"}},
            },
            "required": ["Resources"],
        },
        [
            {
                "Resources": {
                    "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "abc"}},
                    "Q1": {"Type": "AWS::SQS::Queue", "Properties": {"Delay": 900}},
                },
                "Outputs": {"o": {}},
            }
        ],
    ),
]

EVENTS: list[Entry] = [
    (
        "page view",
        {
            "$schema": _D4,
            "self": {"vendor": "com.example", "name": "page_view", "format": "jsonschema", "version": "1-0-0"},
            "type": "object",
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "url": {"type": ["string", "null"], "format": "uri", "maxLength": 4096},
                "ts": {"type": "string", "format": "date-time"},
                "depth": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
                "count": {"type": "integer", "minimum": 0, "maximum": 2147483647},
                "tags": {"type": ["array", "null"], "items": {"type": "string", "maxLength": 32}, "maxItems": 8},
                "ip": {
                    "anyOf": [
                        {"type": "string", "format": "ipv4"},
                        {"type": "string", "format": "ipv6"},
                        {"type": "null"},
                    ]
                },
            },
            "required": ["id", "ts"],
            "additionalProperties": False,
        },
        [
            {
                "id": "123e4567-e89b-12d3-a456-426614174000",
                "ts": "2020-02-29T23:59:59+01:00",
                "url": "https://a.b/c?d=e#f",
                "depth": 33.3,
                "count": 7,
                "tags": ["x", "y"],
                "ip": "::ffff:10.0.0.1",
            },
            {
                "id": "123E4567-E89B-12D3-A456-426614174000",
                "ts": "2020-02-29T23:59:59Z",
                "url": None,
                "ip": None,
                "tags": None,
            },
        ],
    ),
    (
        "currency and weights",
        {
            "$schema": _D4,
            "type": "object",
            "properties": {
                "amount": {"type": "number", "multipleOf": 0.01, "minimum": 0, "exclusiveMinimum": True},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
                "weight": {"type": "number", "minimum": -180, "maximum": 180, "exclusiveMaximum": True},
                "lat": {"type": "number", "minimum": -90, "maximum": 90},
                "step": {"type": "integer", "multipleOf": 5},
            },
            "required": ["amount", "currency"],
        },
        [
            {"amount": 12.34, "currency": "EUR", "weight": -180, "lat": 45.123456789, "step": -15},
            {"amount": 1, "currency": "USD", "weight": 1e-7},
        ],
    ),
    (
        "batch of events",
        {
            "$schema": _D7,
            "type": "array",
            "minItems": 1,
            "maxItems": 500,
            "items": {
                "type": "object",
                "required": ["event", "properties"],
                "properties": {
                    "event": {"type": "string", "minLength": 1},
                    "properties": {
                        "type": "object",
                        "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
                        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
                    },
                },
                "if": {"properties": {"event": {"const": "identify"}}},
                "then": {"required": ["user_id"], "properties": {"user_id": {"type": "string"}}},
                "else": {"properties": {"session": {"type": "integer"}}},
            },
        },
        [
            [
                {"event": "identify", "properties": {}, "user_id": "u1"},
                {"event": "x", "properties": {"a_1": 1, "b": None}, "session": 4},
            ]
        ],
    ),
    (
        "geometry",
        {
            "$schema": _D7,
            "oneOf": [
                {
                    "type": "object",
                    "required": ["type", "coordinates"],
                    "properties": {
                        "type": {"type": "string", "enum": ["Point"]},
                        "coordinates": {"$ref": "#/definitions/position"},
                    },
                },
                {
                    "type": "object",
                    "required": ["type", "coordinates"],
                    "properties": {
                        "type": {"type": "string", "enum": ["LineString"]},
                        "coordinates": {"type": "array", "minItems": 2, "items": {"$ref": "#/definitions/position"}},
                    },
                },
                {
                    "type": "object",
                    "required": ["type", "geometries"],
                    "properties": {
                        "type": {"type": "string", "enum": ["GeometryCollection"]},
                        "geometries": {"type": "array", "items": {"$ref": "#"}},
                    },
                },
            ],
            "definitions": {"position": {"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "number"}}},
        },
        [
            {"type": "Point", "coordinates": [1.5, -2]},
            {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "LineString", "coordinates": [[0, 0], [1, 1, 5]]},
                    {"type": "GeometryCollection", "geometries": []},
                ],
            },
        ],
    ),
    (
        "article with elements",
        {
            "$schema": _D4,
            "title": "ANS",
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": ["story"]},
                "version": {"type": "string", "pattern": "^0\\.10\\.\\d+$"},
                "headlines": {
                    "type": "object",
                    "properties": {"basic": {"type": "string"}},
                    "additionalProperties": {"type": ["string", "null"]},
                    "required": ["basic"],
                },
                "content_elements": {
                    "type": "array",
                    "items": {"anyOf": [{"$ref": "#/definitions/text"}, {"$ref": "#/definitions/list"}]},
                },
                "language": {"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"},
                "additional_properties": {"type": "object", "additionalProperties": {"$ref": "#/definitions/anything"}},
            },
            "required": ["type", "version"],
            "definitions": {
                "anything": {},
                "text": {
                    "allOf": [
                        {"$ref": "#/definitions/base"},
                        {
                            "properties": {"type": {"enum": ["text"]}, "content": {"type": "string"}},
                            "required": ["type", "content"],
                        },
                    ]
                },
                "list": {
                    "allOf": [
                        {"$ref": "#/definitions/base"},
                        {
                            "properties": {
                                "type": {"enum": ["list"]},
                                "items": {
                                    "type": "array",
                                    "items": {
                                        "anyOf": [{"$ref": "#/definitions/text"}, {"$ref": "#/definitions/list"}]
                                    },
                                },
                            },
                            "required": ["type", "items"],
                        },
                    ]
                },
                "base": {"type": "object", "properties": {"_id": {"type": "string"}, "subtype": {"type": "string"}}},
            },
        },
        [
            {
                "type": "story",
                "version": "0.10.4",
                "headlines": {"basic": "H", "web": None},
                "content_elements": [
                    {"type": "text", "content": "c"},
                    {"type": "list", "_id": "1", "items": [{"type": "list", "items": []}]},
                ],
                "language": "en-US",
                "additional_properties": {"a": {"b": [None]}},
            }
        ],
    ),
]

CALLS: list[Entry] = [
    (
        "weather",
        {
            "name": "get_weather",
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "city"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 14},
            },
            "required": ["location"],
        },
        [{"location": "Zürich", "unit": "celsius"}, {"location": "", "days": 14}],
    ),
    (
        "split bill",
        {
            "type": "object",
            "properties": {
                "total": {"type": "number", "exclusiveMinimum": 0},
                "people": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "share": {"type": "number", "minimum": 0, "maximum": 1},
                        },
                        "required": ["name"],
                    },
                    "minItems": 2,
                },
                "tip": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None},
            },
            "required": ["total", "people"],
            "additionalProperties": False,
        },
        [{"total": 99.99, "people": [{"name": "a", "share": 0.5}, {"name": "b"}], "tip": None}],
    ),
    (
        "schedule",
        {
            "type": "object",
            "properties": {
                "when": {"type": "string", "format": "date-time"},
                "day": {"type": "string", "format": "date"},
                "at": {"type": "string", "format": "time"},
                "attendees": {"type": "array", "items": {"type": "string", "format": "email"}, "uniqueItems": True},
                "priority": {"enum": [1, 2, 3, "high", None]},
            },
            "required": ["when"],
        },
        [
            {
                "when": "2024-05-01T10:00:00Z",
                "day": "2024-02-29",
                "at": "10:00:00Z",
                "attendees": ["a@b.co", "c@d.co"],
                "priority": "high",
            }
        ],
    ),
    (
        "search",
        {
            "type": "object",
            "properties": {
                "query": {"type": "string", "minLength": 1, "maxLength": 256},
                "filters": {
                    "type": "object",
                    "properties": {
                        "price": {
                            "type": "object",
                            "properties": {
                                "min": {"type": "number", "minimum": 0},
                                "max": {"type": "number", "minimum": 0},
                            },
                            "additionalProperties": False,
                        },
                        "in_stock": {"type": "boolean"},
                    },
                    "minProperties": 1,
                },
                "page": {"type": "integer", "default": 1},
            },
            "required": ["query"],
            "additionalProperties": False,
        },
        [{"query": 'red "shoes" \\ é', "filters": {"price": {"min": 1.5}, "in_stock": False}, "page": 2}],
    ),
    (
        "optional by union",
        {
            "type": "object",
            "properties": {
                "a": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "A"},
                "b": {"$ref": "#/$defs/Inner"},
                "c": {"additionalProperties": {"type": "integer"}, "type": "object"},
                "d": {
                    "prefixItems": [{"type": "string"}, {"type": "integer"}],
                    "minItems": 2,
                    "maxItems": 2,
                    "type": "array",
                },
            },
            "required": ["a", "b", "c", "d"],
            "$defs": {
                "Inner": {
                    "type": "object",
                    "properties": {
                        "kind": {"const": "inner"},
                        "next": {"anyOf": [{"$ref": "#/$defs/Inner"}, {"type": "null"}]},
                    },
                    "required": ["kind"],
                }
            },
        },
        [{"a": None, "b": {"kind": "inner", "next": {"kind": "inner", "next": None}}, "c": {"x": 1}, "d": ["p", 3]}],
    ),
    (
        "tagged union",
        {
            "discriminator": {"propertyName": "kind"},
            "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
            "$defs": {
                "Cat": {
                    "type": "object",
                    "properties": {"kind": {"const": "cat", "type": "string"}, "lives": {"type": "integer"}},
                    "required": ["kind", "lives"],
                },
                "Dog": {
                    "type": "object",
                    "properties": {"kind": {"const": "dog", "type": "string"}, "good": {"type": "boolean"}},
                    "required": ["kind", "good"],
                },
            },
        },
        [{"kind": "cat", "lives": 9}, {"kind": "dog", "good": True, "x": 1}],
    ),
    ("empty parameters", {"type": "object", "properties": {}}, [{}, {"a": 1}]),
    ("no parameters", {"type": "object", "properties": {}, "additionalProperties": False}, [{}]),
    (
        "either of two",
        {
            "type": "object",
            "properties": {
                "phone": {"type": "string", "pattern": "^\\+?[0-9 ()-]{5,20}$"},
                "email": {"type": "string", "format": "email"},
                "name": {"type": "string"},
            },
            "anyOf": [{"required": ["phone"]}, {"required": ["email"]}],
            "required": ["name"],
        },
        [{"name": "n", "phone": "+41 (0)79 123"}, {"email": "x@y.zz", "name": "m", "phone": "12345"}],
    ),
    (
        "amounts in words",
        {
            "type": "object",
            "properties": {
                "text": {"type": "string", "pattern": "^(?:\\w+ ){0,9}\\w+$"},
                "code": {"type": "string", "pattern": "^(?!0000)[0-9]{4}$"},
                "hex": {"type": "string", "pattern": "^0x[\\da-f]+$", "minLength": 4, "maxLength": 10},
            },
            "required": ["text", "code"],
        },
        [{"text": "ein zwei drei", "code": "0001", "hex": "0xff"}],
    ),
]

INTERFACES: list[Entry] = [
    (
        "pet with nullable",
        {
            "type": "object",
            "required": ["id", "name"],
            "properties": {
                "id": {"type": "integer", "format": "int64"},
                "name": {"type": "string"},
                "tag": {"type": "string", "nullable": True},
                "price": {"type": "number", "format": "float"},
                "photo": {"type": "string", "format": "byte"},
                "secret": {"type": "string", "format": "password", "writeOnly": True},
            },
        },
        [{"id": 9007199254740993, "name": "x", "price": 1.5e3, "photo": "aGk="}],
    ),
    (
        "problem details",
        {
            "type": "object",
            "properties": {
                "type": {"type": "string", "format": "uri-reference", "default": "about:blank"},
                "status": {"type": "integer", "minimum": 100, "exclusiveMaximum": 600},
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["pointer"],
                        "properties": {"pointer": {"type": "string", "format": "json-pointer"}},
                    },
                },
            },
            "additionalProperties": True,
        },
        [{"type": "/errors/1", "status": 404, "errors": [{"pointer": "/a/0/~1"}]}],
    ),
    (
        "paged list",
        {
            "allOf": [
                {"$ref": "#/definitions/page"},
                {
                    "type": "object",
                    "properties": {
                        "items": {
                            "type": "array",
                            "items": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]},
                        }
                    },
                    "required": ["items"],
                },
            ],
            "definitions": {
                "page": {
                    "type": "object",
                    "properties": {"next": {"type": ["string", "null"]}, "total": {"type": "integer", "minimum": 0}},
                    "required": ["total"],
                }
            },
        },
        [{"total": 1, "items": [{"sku": "a"}], "next": None}],
    ),
    (
        "composition closed late",
        {
            "$schema": _D19,
            "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}],
            "unevaluatedProperties": False,
            "$defs": {
                "a": {"type": "object", "properties": {"x": {"type": "integer"}}},
                "b": {"properties": {"y": {"type": "string"}}, "required": ["y"]},
            },
        },
        [{"x": 1, "y": "s"}, {"y": ""}],
    ),
    (
        "map of maps",
        {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
            },
            "maxProperties": 4,
        },
        [{"a": {"b": [1, 2, 3], "c": []}, "d": {}}],
    ),
    (
        "patch operations",
        {
            "$schema": _D4,
            "type": "array",
            "items": {
                "oneOf": [
                    {
                        "required": ["op", "path", "value"],
                        "additionalProperties": False,
                        "properties": {
                            "path": {"type": "string"},
                            "op": {"enum": ["add", "replace", "test"]},
                            "value": {},
                        },
                    },
                    {
                        "required": ["op", "path"],
                        "additionalProperties": False,
                        "properties": {"path": {"type": "string"}, "op": {"enum": ["remove"]}},
                    },
                    {
                        "required": ["op", "path", "from"],
                        "additionalProperties": False,
                        "properties": {
                            "path": {"type": "string"},
                            "op": {"enum": ["move", "copy"]},
                            "from": {"type": "string"},
                        },
                    },
                ]
            },
        },
        [
            [
                {"op": "add", "path": "/a", "value": {"x": [1, None]}},
                {"op": "remove", "path": "/b"},
                {"op": "move", "path": "/c", "from": "/d"},
            ]
        ],
    ),
    (
        "tuples of old",
        {
            "$schema": _D4,
            "type": "array",
            "items": [{"type": "integer"}, {"type": "string", "enum": ["a", "b"]}],
            "additionalItems": {"type": "boolean"},
        },
        [[1, "a", True, False], [1], []],
    ),
    (
        "exact tuple",
        {
            "$schema": _D7,
            "type": "array",
            "items": [{"type": "number"}, {"type": "number"}],
            "additionalItems": False,
            "minItems": 2,
        },
        [[1, 2.5]],
    ),
    (
        "references with siblings",
        {
            "$schema": _D7,
            "type": "object",
            "properties": {
                "a": {"$ref": "#/definitions/s", "minLength": 100, "description": "ignored"},
                "b": {"$ref": "#/definitions/s"},
            },
            "definitions": {"s": {"type": "string", "maxLength": 4}},
        },
        [{"a": "x", "b": "abcd"}],
    ),
    (
        "references with siblings that hold",
        {
            "$schema": _D20,
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/s", "minLength": 2}},
            "$defs": {"s": {"type": "string", "maxLength": 4}},
        },
        [{"a": "xy"}],
    ),
    (
        "references by escaped pointer",
        {
            "type": "object",
            "properties": {"p": {"$ref": "#/definitions/a~1b%25"}, "q": {"$ref": "#/properties/p"}},
            "definitions": {"a/b%": {"type": "integer"}},
        },
        [{"p": 1, "q": 2}],
    ),
    (
        "embedded resource",
        {
            "$schema": _D20,
            "$id": "https://example.com/root",
            "properties": {"x": {"$ref": "inner#/$defs/n"}, "y": {"$ref": "/inner"}},
            "$defs": {"i": {"$id": "inner", "type": "string", "$defs": {"n": {"type": "integer", "minimum": 3}}}},
            "type": "object",
        },
        [{"x": 3, "y": "s"}],
    ),
    (
        "tree",
        {
            "$schema": _D20,
            "$id": "https://example.com/tree",
            "$dynamicAnchor": "node",
            "type": "object",
            "properties": {"data": True, "children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
            "required": ["data"],
            "additionalProperties": False,
        },
        [{"data": 1, "children": [{"data": None}, {"data": [], "children": []}]}],
    ),
    (
        "depends",
        {
            "$schema": _D20,
            "type": "object",
            "properties": {"card": {"type": "string"}, "billing": {"type": "string"}},
            "dependentRequired": {"card": ["billing"]},
            "dependentSchemas": {"gift": {"properties": {"note": {"type": "string"}}, "required": ["note"]}},
        },
        [{"card": "1", "billing": "x"}, {"gift": True, "note": "n"}, {}],
    ),
    (
        "depends in draft-04",
        {
            "$schema": _D4,
            "type": "object",
            "dependencies": {"a": ["b", "c"], "d": {"properties": {"e": {"type": "integer"}}, "required": ["e"]}},
        },
        [{"a": 1, "b": 2, "c": 3}, {"d": 1, "e": 4}, {"e": "x"}],
    ),
    (
        "conditional chain",
        {
            "type": "object",
            "properties": {"country": {"type": "string"}, "zip": {"type": "string"}},
            "required": ["country"],
            "if": {"properties": {"country": {"const": "US"}}},
            "then": {"properties": {"zip": {"pattern": "^[0-9]{5}(-[0-9]{4})?$"}}},
            "else": {
                "if": {"properties": {"country": {"const": "NL"}}},
                "then": {"properties": {"zip": {"pattern": "^[0-9]{4} [A-Z]{2}$"}}},
            },
        },
        [{"country": "US", "zip": "12345-6789"}, {"country": "NL", "zip": "1234 AB"}, {"country": "CH", "zip": "?"}],
    ),
]

CORNERS: list[Entry] = [
    (
        "mixed enum",
        {"enum": ["a", 1, 1.5, None, True, [1, "x"], {"k": "v"}, "1"]},
        ["a", 1, 1.5, None, True, [1, "x"], {"k": "v"}, "1"],
    ),
    ("enum beside a type", {"type": ["string", "null"], "enum": ["x", "y", None, 3]}, ["x", None]),
    ("constant object", {"const": {"b": [1, {"c": None}], "a": "é"}}, [{"b": [1, {"c": None}], "a": "é"}]),
    (
        "keywords of other types",
        {"type": "integer", "pattern": "^a", "minItems": 4, "required": ["x"], "maximum": 9},
        [3, 9],
    ),
    ("no type at all", {"properties": {"a": {"minimum": 3}}, "required": ["a"]}, [{"a": 3}, {"a": "x"}, [1], "s", 4]),
    (
        "a required name that is not declared",
        {
            "type": "object",
            "required": ["z"],
            "properties": {"a": {"type": "integer"}},
            "additionalProperties": {"type": "string"},
        },
        [{"a": 1, "z": "s"}, {"z": "", "y": ""}],
    ),
    (
        "overlapping patterns",
        {
            "type": "object",
            "patternProperties": {"^a": {"type": "integer"}, "b$": {"minimum": 5}},
            "additionalProperties": {"type": "null"},
        },
        [{"ax": 1, "ab": 6, "xb": "s", "q": None}],
    ),
    (
        "pattern beside property",
        {
            "type": "object",
            "properties": {"foo": {"minimum": 2}},
            "patternProperties": {"f": {"type": "integer"}},
            "additionalProperties": False,
        },
        [{"foo": 2, "bf": -1}],
    ),
    (
        "closed allOf",
        {
            "allOf": [
                {"properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "integer"}},
                {"properties": {"b": {"maximum": 5}}, "required": ["b"]},
            ],
            "type": "object",
        },
        [{"a": 1, "b": 5}, {"b": 2, "c": 3}],
    ),
    (
        "not required",
        {"type": "object", "properties": {"a": {}, "b": {}}, "not": {"required": ["a", "b"]}},
        [{"a": 1}, {"b": 2}, {}],
    ),
    (
        "not an enum",
        {"type": "string", "not": {"enum": ["admin", "root"]}, "minLength": 1},
        ["x", "administrator", "roo"],
    ),
    (
        "one of two ranges",
        {"oneOf": [{"type": "number", "maximum": 5}, {"type": "number", "minimum": 5}]},
        [4, 6, 4.999],
    ),
    (
        "counted matches",
        {
            "$schema": _D20,
            "type": "array",
            "contains": {"type": "integer", "minimum": 10},
            "minContains": 1,
            "maxContains": 2,
            "items": {"type": "number"},
        },
        [[1, 10], [10, 11, 2.5]],
    ),
    (
        "unique scalars",
        {"type": "array", "items": {"type": ["string", "integer", "null", "boolean"]}, "uniqueItems": True},
        [["a", "b", 1, None, True], []],
    ),
    (
        "unique small objects",
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"id": {"type": "integer"}, "v": {"type": "string"}},
                "required": ["id"],
                "additionalProperties": False,
            },
            "uniqueItems": True,
            "maxItems": 3,
        },
        [[{"id": 1}, {"id": 2, "v": "x"}]],
    ),
    (
        "long strings",
        {
            "type": "object",
            "properties": {
                "a": {"type": "string", "minLength": 3, "maxLength": 5000},
                "b": {"type": "string", "pattern": "^[^\\r\\n]*$", "maxLength": 1000},
            },
        },
        [{"a": "äöü", "b": "x" * 100}],
    ),
    (
        "unicode",
        {
            "type": "object",
            "properties": {
                "名前": {"type": "string", "minLength": 2, "maxLength": 2},
                "emoji": {"type": "string", "pattern": "^[a-zé]+$|^😀$"},
                "naïve": {"enum": ["é", "ü"]},
            },
            "required": ["名前"],
        },
        [{"名前": "😀é", "naïve": "é"}, {"名前": "ab", "emoji": "😀"}],
    ),
    (
        "odd keys",
        {
            "type": "object",
            "properties": {
                "": {"type": "integer"},
                'a"b': {"type": "integer"},
                "c\\d": {"type": "integer"},
                "e/f": {"type": "integer"},
                "\n": {"type": "integer"},
            },
            "additionalProperties": False,
        },
        [{"": 1, 'a"b': 2, "c\\d": 3, "e/f": 4, "\n": 5}],
    ),
    (
        "large numbers",
        {
            "type": "object",
            "properties": {
                "i": {"type": "integer", "minimum": -9223372036854775808, "maximum": 9223372036854775807},
                "u": {"type": "integer", "minimum": 0, "maximum": 18446744073709551615},
                "f": {"type": "number", "minimum": -1e10, "maximum": 1e10},
            },
        },
        [{"i": -9223372036854775808, "u": 18446744073709551615, "f": 1e9}],
    ),
    ("anything goes", True, [1, None, {"a": [{}]}, "é", -1.5e-3]),
    (
        "array or one",
        {
            "definitions": {"s": {"type": "string"}},
            "anyOf": [
                {"$ref": "#/definitions/s"},
                {"type": "array", "items": {"$ref": "#/definitions/s"}, "minItems": 1, "uniqueItems": True},
            ],
        },
        ["a", ["a", "b"]],
    ),
    (
        "double bounds",
        {"allOf": [{"minimum": 1}, {"maximum": 10, "multipleOf": 2}, {"multipleOf": 3}], "type": "integer"},
        [6],
    ),
    (
        "recursive expression",
        {
            "definitions": {
                "e": {
                    "oneOf": [
                        {"type": "number"},
                        {
                            "type": "object",
                            "required": ["op", "args"],
                            "properties": {
                                "op": {"enum": ["+", "*"]},
                                "args": {"type": "array", "items": {"$ref": "#/definitions/e"}, "minItems": 2},
                            },
                            "additionalProperties": False,
                        },
                    ]
                }
            },
            "$ref": "#/definitions/e",
        },
        [1, {"op": "+", "args": [1, {"op": "*", "args": [2, 3]}]}],
    ),
]

ENTRIES = CONFIGURATIONS + RESOURCES + EVENTS + CALLS + INTERFACES + CORNERS
