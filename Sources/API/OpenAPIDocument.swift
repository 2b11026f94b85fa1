/// The API in OpenAPI 3.1, written by hand; tests hold it against a validator and against the routes.
enum OpenAPIDocument {
    /// - Parameter server: the address below which the paths stand, such as `/` or `/finder`.
    static func json(server: String) -> String { template.replacing("@SERVER@", with: server) }

    private static let template = #"""
        {
          "openapi": "3.1.0",
          "info": {
            "title": "StyleFinder",
            "version": "1",
            "summary": "Finds the garments that look most alike.",
            "description": "Scores are cosine similarities in -1…1. Every error is {\"error\":{\"code\",\"message\"}} with one sentence.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
          },
          "servers": [{"url": "@SERVER@"}],
          "paths": {
            "/api/v1/search": {
              "post": {
                "operationId": "search",
                "summary": "Garments that look like a picture, fit a text, or resemble something of the catalogue.",
                "requestBody": {
                  "required": true,
                  "content": {
                    "multipart/form-data": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "properties": {
                          "image": {"type": "string", "format": "binary", "description": "A JPEG, PNG or WebP."},
                          "text": {"type": "string", "description": "What to look for, in words, instead of a picture."},
                          "model": {"type": "string", "description": "Id of a model."},
                          "top_k": {"type": "integer", "minimum": 1, "maximum": 200, "default": 10},
                          "filter": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "key:value, or price:10..50. The same key again widens, another key narrows."
                          },
                          "group_by": {"type": "string", "enum": ["product", "image"], "default": "product"},
                          "min_score": {"type": "number", "minimum": -1, "maximum": 1}
                        }
                      },
                      "encoding": {"filter": {"explode": true}}
                    },
                    "application/json": {
                      "schema": {
                        "type": "object",
                        "additionalProperties": false,
                        "properties": {
                          "text": {"type": "string", "description": "What to look for, in words, instead of a picture."},
                          "model": {"type": "string", "description": "Id of a model."},
                          "top_k": {"type": "integer", "minimum": 1, "maximum": 200, "default": 10},
                          "filter": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "key:value, or price:10..50. The same key again widens, another key narrows."
                          },
                          "group_by": {"type": "string", "enum": ["product", "image"], "default": "product"},
                          "min_score": {"type": "number", "minimum": -1, "maximum": 1},
                          "product_id": {"type": "string", "description": "A product of the catalogue; it is not among its own results."},
                          "image_id": {"type": "integer", "description": "A picture of the catalogue."}
                        }
                      }
                    }
                  }
                },
                "responses": {
                  "200": {
                    "description": "Good",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SearchResponse"}}}
                  },
                  "400": {"$ref": "#/components/responses/Wrong"},
                  "404": {"$ref": "#/components/responses/Unknown"},
                  "408": {"$ref": "#/components/responses/Slow"},
                  "413": {"$ref": "#/components/responses/TooLarge"},
                  "415": {"$ref": "#/components/responses/NotAnImage"},
                  "422": {"$ref": "#/components/responses/Broken"},
                  "503": {"$ref": "#/components/responses/Later"}
                }
              }
            },
            "/api/v1/models": {
              "get": {
                "operationId": "models",
                "summary": "The loaded models.",
                "responses": {
                  "200": {
                    "description": "Good",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["models"],
                          "properties": {
                            "models": {"type": "array", "items": {"$ref": "#/components/schemas/ModelCard"}},
                            "default": {"type": "string", "description": "The model that answers where a query names none."}
                          }
                        }
                      }
                    }
                  },
                  "503": {"$ref": "#/components/responses/Later"}
                }
              }
            },
            "/api/v1/models/{id}": {
              "get": {
                "operationId": "model",
                "summary": "One model.",
                "parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}, "description": "Its id.", "required": true}],
                "responses": {
                  "200": {
                    "description": "Good",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ModelCard"}}}
                  },
                  "404": {"$ref": "#/components/responses/Unknown"},
                  "503": {"$ref": "#/components/responses/Later"}
                }
              }
            },
            "/api/v1/products": {
              "get": {
                "operationId": "products",
                "summary": "A page of the catalogue, with facets.",
                "parameters": [
                  {
                    "name": "filter",
                    "in": "query",
                    "schema": {"type": "array", "items": {"type": "string"}},
                    "description": "key:value, or price:10..50. The same key again widens, another key narrows."
                  },
                  {
                    "name": "limit",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 24},
                    "description": "Products in a page."
                  },
                  {
                    "name": "offset",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 0, "maximum": 2147483647, "default": 0},
                    "description": "Products before the page."
                  }
                ],
                "responses": {
                  "200": {
                    "description": "Good",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["total", "products", "facets"],
                          "properties": {
                            "total": {"type": "integer"},
                            "products": {"type": "array", "items": {"$ref": "#/components/schemas/ProductSummary"}},
                            "facets": {
                              "type": "object",
                              "additionalProperties": {
                                "type": "array",
                                "items": {
                                  "type": "object",
                                  "required": ["value", "count"],
                                  "properties": {"value": {"type": "string"}, "count": {"type": "integer"}}
                                }
                              }
                            }
                          }
                        }
                      }
                    }
                  },
                  "400": {"$ref": "#/components/responses/Wrong"},
                  "503": {"$ref": "#/components/responses/Later"}
                }
              }
            },
            "/api/v1/products/{id}": {
              "get": {
                "operationId": "product",
                "summary": "One product with all its pictures.",
                "parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}, "description": "Its id.", "required": true}],
                "responses": {
                  "200": {
                    "description": "Good",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Product"}}}
                  },
                  "404": {"$ref": "#/components/responses/Unknown"}
                }
              }
            },
            "/api/v1/products/{id}/similar": {
              "get": {
                "operationId": "similar",
                "summary": "Garments like this product.",
                "parameters": [
                  {"name": "id", "in": "path", "schema": {"type": "string"}, "description": "Its id.", "required": true},
                  {
                    "name": "model",
                    "in": "query",
                    "schema": {"type": "string"},
                    "description": "Id of a model; the first one where it is left out."
                  },
                  {
                    "name": "top_k",
                    "in": "query",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 10},
                    "description": "How many results."
                  },
                  {
                    "name": "filter",
                    "in": "query",
                    "schema": {"type": "array", "items": {"type": "string"}},
                    "description": "key:value, or price:10..50. The same key again widens, another key narrows."
                  },
                  {
                    "name": "group_by",
                    "in": "query",
                    "schema": {"type": "string", "enum": ["product", "image"], "default": "product"},
                    "description": "Each product once, or every picture."
                  },
                  {
                    "name": "min_score",
                    "in": "query",
                    "schema": {"type": "number", "minimum": -1, "maximum": 1},
                    "description": "Least cosine similarity."
                  }
                ],
                "responses": {
                  "200": {
                    "description": "Good",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SearchResponse"}}}
                  },
                  "400": {"$ref": "#/components/responses/Wrong"},
                  "404": {"$ref": "#/components/responses/Unknown"},
                  "503": {"$ref": "#/components/responses/Later"}
                }
              }
            },
            "/api/v1/images/{id}": {
              "get": {
                "operationId": "image",
                "summary": "A picture of the catalogue, scaled down.",
                "parameters": [
                  {"name": "id", "in": "path", "schema": {"type": "integer"}, "description": "Its id.", "required": true},
                  {
                    "name": "w",
                    "in": "query",
                    "schema": {"type": "integer", "enum": [160, 320, 640, 1280], "default": 1280},
                    "description": "Greatest width in pixels; a smaller picture is not enlarged."
                  }
                ],
                "responses": {
                  "200": {
                    "description": "A JPEG",
                    "headers": {"ETag": {"schema": {"type": "string"}}},
                    "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
                  },
                  "304": {"description": "The client has it already."},
                  "400": {"$ref": "#/components/responses/Wrong"},
                  "404": {"$ref": "#/components/responses/Unknown"}
                }
              }
            },
            "/api/v1/samples": {
              "get": {
                "operationId": "samples",
                "summary": "Pictures to try the search with.",
                "responses": {
                  "200": {
                    "description": "Good",
                    "content": {
                      "application/json": {
                        "schema": {
                          "type": "object",
                          "required": ["samples"],
                          "properties": {
                            "samples": {
                              "type": "array",
                              "items": {
                                "type": "object",
                                "required": ["title", "path"],
                                "properties": {"title": {"type": "string"}, "path": {"type": "string"}}
                              }
                            }
                          }
                        }
                      }
                    }
                  },
                  "503": {"$ref": "#/components/responses/Later"}
                }
              }
            },
            "/api/v1/samples/{number}": {
              "get": {
                "operationId": "sample",
                "summary": "One of them.",
                "parameters": [
                  {
                    "name": "number",
                    "in": "path",
                    "schema": {"type": "integer"},
                    "description": "Its place in the list, from 0.",
                    "required": true
                  },
                  {
                    "name": "w",
                    "in": "query",
                    "schema": {"type": "integer", "enum": [160, 320, 640, 1280], "default": 1280},
                    "description": "Greatest width in pixels; a smaller picture is not enlarged."
                  }
                ],
                "responses": {
                  "200": {
                    "description": "A JPEG",
                    "headers": {"ETag": {"schema": {"type": "string"}}},
                    "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
                  },
                  "304": {"description": "The client has it already."},
                  "400": {"$ref": "#/components/responses/Wrong"},
                  "404": {"$ref": "#/components/responses/Unknown"},
                  "503": {"$ref": "#/components/responses/Later"}
                }
              }
            },
            "/healthz": {
              "get": {
                "operationId": "healthz",
                "summary": "Whether the process answers.",
                "responses": {
                  "200": {
                    "description": "Good",
                    "content": {"application/json": {"schema": {"type": "object", "properties": {"status": {"const": "ok"}}}}}
                  }
                }
              }
            },
            "/readyz": {
              "get": {
                "operationId": "readyz",
                "summary": "Whether searches are answered.",
                "responses": {
                  "200": {
                    "description": "Good",
                    "content": {"application/json": {"schema": {"type": "object", "properties": {"status": {"const": "ready"}}}}}
                  },
                  "503": {
                    "description": "The models are being loaded.",
                    "content": {"application/json": {"schema": {"type": "object", "properties": {"status": {"const": "loading"}}}}}
                  }
                }
              }
            },
            "/openapi.json": {
              "get": {
                "operationId": "openapi",
                "summary": "This document.",
                "responses": {"200": {"description": "Good", "content": {"application/json": {"schema": {"type": "object"}}}}}
              }
            }
          },
          "components": {
            "responses": {
              "Wrong": {
                "description": "An empty body, or a parameter that is wrong or unknown.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              },
              "Unknown": {
                "description": "No such model, product or picture.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              },
              "Slow": {
                "description": "The body did not come in time.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              },
              "TooLarge": {
                "description": "Too many bytes or pixels.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              },
              "NotAnImage": {
                "description": "Another kind of body, or no JPEG, PNG or WebP.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              },
              "Broken": {
                "description": "A damaged picture.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              },
              "Later": {
                "description": "The models are being loaded, or too much is asked at once.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
              }
            },
            "schemas": {
              "Error": {
                "type": "object",
                "required": ["error"],
                "properties": {
                  "error": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": {
                      "code": {"type": "string", "description": "For programs."},
                      "message": {"type": "string", "description": "One sentence for people."}
                    }
                  }
                }
              },
              "SearchResponse": {
                "type": "object",
                "required": ["model", "results", "timing_ms"],
                "properties": {
                  "model": {"type": "string"},
                  "results": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "required": ["rank", "score", "product", "image"],
                      "properties": {
                        "rank": {"type": "integer", "minimum": 1},
                        "score": {"type": "number", "description": "Cosine similarity."},
                        "product": {"$ref": "#/components/schemas/ProductFacts"},
                        "image": {"$ref": "#/components/schemas/Image"}
                      }
                    }
                  },
                  "timing_ms": {
                    "type": "object",
                    "additionalProperties": {"type": "number"},
                    "description": "Milliseconds of decode, encode, search, and total."
                  }
                }
              },
              "ProductFacts": {
                "type": "object",
                "required": ["id"],
                "properties": {
                  "id": {"type": "string"},
                  "title": {"type": "string"},
                  "category": {"type": "string"},
                  "brand": {"type": "string"},
                  "price": {"type": "number", "minimum": 0},
                  "currency": {"type": "string"},
                  "in_stock": {"type": "boolean"},
                  "url": {"type": "string"}
                }
              },
              "Image": {
                "type": "object",
                "required": ["id", "path"],
                "properties": {
                  "id": {"type": "integer"},
                  "path": {"type": "string", "description": "Address of the picture; add ?w= for a width."},
                  "view": {"type": "string"},
                  "color": {"type": "string"},
                  "caption": {"type": "string"}
                }
              },
              "ProductSummary": {
                "allOf": [
                  {"$ref": "#/components/schemas/ProductFacts"},
                  {"type": "object", "required": ["image"], "properties": {"image": {"$ref": "#/components/schemas/Image"}}}
                ]
              },
              "Product": {
                "allOf": [
                  {"$ref": "#/components/schemas/ProductFacts"},
                  {
                    "type": "object",
                    "required": ["attributes", "images"],
                    "properties": {
                      "description": {"type": "string"},
                      "attributes": {"type": "object", "additionalProperties": {"type": "string"}},
                      "images": {"type": "array", "items": {"$ref": "#/components/schemas/Image"}}
                    }
                  }
                ]
              },
              "ModelCard": {
                "type": "object",
                "required": [
                  "id",
                  "architecture",
                  "variant",
                  "embedding_size",
                  "parameters",
                  "takes_text",
                  "images",
                  "preprocessing",
                  "fingerprint"
                ],
                "properties": {
                  "id": {"type": "string"},
                  "architecture": {"type": "string"},
                  "variant": {"type": "string"},
                  "stage": {"type": "string"},
                  "embedding_size": {"type": "integer"},
                  "parameters": {"type": "integer"},
                  "takes_text": {"type": "boolean"},
                  "images": {"type": "integer", "description": "Pictures of the catalogue that it can find."},
                  "preprocessing": {
                    "type": "object",
                    "properties": {
                      "side": {"type": "integer"},
                      "fitting": {"type": "string"},
                      "filter": {"type": "string"},
                      "mean": {"type": "array", "items": {"type": "number"}},
                      "std": {"type": "array", "items": {"type": "number"}}
                    }
                  },
                  "fingerprint": {"type": "string"},
                  "training": {
                    "type": "object",
                    "description": "What its checkpoint recorded.",
                    "properties": {
                      "recipe": {"type": "string"},
                      "command": {"type": "string"},
                      "epoch": {"type": "integer"},
                      "epochs": {"type": "integer"},
                      "step": {"type": "integer"},
                      "steps": {"type": "integer"},
                      "photos": {"type": "integer"},
                      "seconds": {"type": "number"},
                      "optimizer": {"type": "string"},
                      "learning_rate": {"type": "number"},
                      "weight_decay": {"type": "number"},
                      "batch": {"type": "string"},
                      "loss": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"name": {"type": "string"}, "weight": {"type": "number"}}}
                      },
                      "temperature": {"type": "number"},
                      "captions": {"type": "array", "items": {"type": "string"}},
                      "validation": {"type": "object", "additionalProperties": {"type": "number"}}
                    }
                  }
                }
              }
            }
          }
        }
        """#
}
