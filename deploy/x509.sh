# A key (EC P-256) and its certificate, for the scripts that need one. Source it.
# shellcheck shell=bash

# x509_make KEY CERTIFICATE DAYS COMMON_NAME ARGUMENT…     the rest for `openssl req`; by whom: -CA and -CAkey, else by itself
x509_make() {
    openssl req -x509 -config <(printf '[req]\ndistinguished_name = name\n[name]\n') -newkey ec \
        -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$1" -out "$2" -days "$3" -subj "/CN=$4" "${@:5}" 2>/dev/null
}

# x509_authority_make KEY CERTIFICATE COMMON_NAME     of certificates, not of other authorities
x509_authority_make() {
    x509_make "$1" "$2" 3650 "$3" -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' \
        -addext 'keyUsage=critical,keyCertSign,cRLSign'
}

# x509_leaf_make AUTHORITY_KEY AUTHORITY KEY CERTIFICATE DAYS COMMON_NAME USAGE ARGUMENT…     USAGE: serverAuth, clientAuth
x509_leaf_make() {
    x509_make "${@:3:4}" -CAkey "$1" -CA "$2" -addext 'basicConstraints=critical,CA:FALSE' \
        -addext 'keyUsage=critical,digitalSignature' -addext "extendedKeyUsage=$7" "${@:8}"
}
