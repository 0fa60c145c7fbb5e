#include "CAPIDocument.h"

// #embed is C23's; Swift's compiler of C has it in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char document[] = {
#embed "../../docs/openapi.yaml"
};

const unsigned char *flexi_api_document(void) { return document; }
size_t flexi_api_document_size(void) { return sizeof document; }
