#include "portal/portal_page.h"

#include <stdio.h>
#include <stdlib.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>資格者証の検証</title>\n"
    "<style>body{font-family:sans-serif;max-width:40em;margin:2em auto;padding:0 1em;line-height:1.7}"
    "h2{padding:.5em 1em;border-radius:.3em;color:#fff}.valid{background:#0a6640}.invalid{background:#a11}"
    "dt{color:#555}dd{margin:0 0 .5em 0;font-size:1.1em}</style>\n</head>\n<body>\n<h1>資格者証の検証</h1>\n";
static const char note[] =
    "<p>この画面は資格を証明するものであり、提示した方が本人であることの確認は別に必要です。</p>\n";
static const char tail[] = "</body>\n</html>\n";

static void escape(FILE *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            putc(*text, out);
        }
}

static void verdict_print(FILE *out, const Certificates__VerifyReply *reply)
{
    fprintf(
        out, "<h2 class=\"%s\">%s</h2>\n", reply->valid ? "valid" : "invalid", reply->valid ? "有効です" : "無効です");
    fputs("<p>", out);
    escape(out, reply->japanese);
    fputs("</p>\n<dl>\n", out);
    for (size_t i = 0; i < reply->n_lines; i++) {
        fputs("<dt>", out);
        escape(out, reply->lines[i]->label);
        fputs("</dt><dd>", out);
        escape(out, reply->lines[i]->value);
        fputs("</dd>\n", out);
    }
    fputs("</dl>\n", out);
    fputs(note, out);
}

/* The memory stream's text is there once it is closed. */
static char *page_end(FILE *out, char **text)
{
    fputs(tail, out);
    if (fclose(out) == 0)
        return *text;
    free(*text);
    return NULL;
}

char *page_print(const Certificates__VerifyReply *reply, size_t *len)
{
    if (!reply)
        return page_print_fault("資格者証のQRコードを読み取ってください。", len);
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (!out)
        return NULL;
    fputs(head, out);
    verdict_print(out, reply);
    return page_end(out, &text);
}

char *page_print_fault(const char *sentence, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (!out)
        return NULL;
    fputs(head, out);
    fputs("<p>", out);
    escape(out, sentence);
    fputs("</p>\n", out);
    return page_end(out, &text);
}

void page_free(char *page)
{
    free(page);
}
